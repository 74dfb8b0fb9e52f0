"""A call opens: the matchmaking event, and the consortia that form."""

import math
from types import SimpleNamespace

from benchmarks.peer.agents import Cluster, Partner, Project
from benchmarks.peer.base import Peer
from simulator import draws
from simulator.instruments.calls.events import CallEvent
from simulator.instruments.calls.matchmaking import _WISHES_PER_MEETING
from simulator.instruments.calls.tables import MAX_PARTNERS, NO_FUNDER, NOT_APPLIED
from simulator.parameters import ALL_OR_NONE, VIRTUAL_COMMON_POT
from simulator.records import NOBODY


def hold_event(model: Peer) -> None:
    """Places go to the keenest clusters, meetings to the pairs that appeal most."""
    for call in model.calls:
        if call.event_month == model.month and call.held and call.event_clusters > 1:
            _meet(model, call, _guests(model, call))


def _guests(model: Peer, call: SimpleNamespace) -> list[Cluster]:
    say, time = model.say, model.since(call)
    scores = {}
    for each in model.clusters:
        if each.country.attends:
            noise = say.gumbel(model.luck(draws.ATTEND, time, each.identity))
            scores[each] = say.attendance_score(model.parameters.attendance_focus_weight, each.focus, noise)
    guests = sorted(scores, key=lambda each: -scores[each])[: call.event_clusters]
    for each in guests:
        each.attended = call
    return sorted(guests, key=lambda each: each.row)


def _meet(model: Peer, call: SimpleNamespace, guests: list[Cluster]) -> None:
    say, p, time = model.say, model.parameters, model.since(call)
    noise = model.key(draws.MEETING, time)
    free = {
        each: say.whole_number(p.meetings_per_cluster, model.luck(draws.MEETING_SLOTS, time, each.identity))
        for each in guests
    }
    funded = {each: float(each.has_funder(call)) for each in guests}
    scores: dict[Cluster, list[float]] = {each: [] for each in guests}
    pairs = []
    for place, a in enumerate(guests):
        for b in guests[:place]:
            if a.country.nation == b.country.nation:
                continue
            luck = say.gumbel(say.uniform_of_pair(noise, a.identity, b.identity))
            value = luck + a.appeal_of(b, 0.5 * (funded[a] + funded[b]))
            pairs.append((value, a, b))
            scores[a].append(value)
            scores[b].append(value)
    bar = {}
    for each, values in scores.items():
        wishes = min(len(guests) - 1, max(1, _WISHES_PER_MEETING * free[each]))
        bar[each] = sorted(values, reverse=True)[wishes - 1] if wishes <= len(values) else -math.inf
    wanted = [pair for pair in pairs if pair[0] >= bar[pair[1]] or pair[0] >= bar[pair[2]]]
    for _, a, b in sorted(wanted, key=lambda pair: -pair[0]):
        if free[a] > 0 and free[b] > 0:
            free[a] -= 1
            free[b] -= 1
            a.knows(b, say.gap_closed(a.familiarity.get(b.row, 0.0), p.meeting_familiarity_gain))
            model.note(CallEvent.MEETING, a.row, b.row, 1.0, call=call)


def form_consortia(model: Peer) -> None:
    """Ideas that ripen this month look for partners."""
    say = model.say
    for call in model.calls:
        if not call.held or not call.open_month <= model.month <= call.close_month:
            continue
        time, window = model.since(call), call.close_month - call.open_month + 1
        for lead in model.clusters:
            if not lead.has_funder(call):
                continue
            ideas, number = _ideas(model, call, lead), 0
            reached = say.exponential(model.luck(draws.IDEA, time, lead.identity))
            while reached < ideas:
                ripe = call.open_month + int(model.luck(draws.RIPEN, time, lead.identity, number) * window)
                if ripe == model.month and lead.busy < lead.capacity:
                    _propose(model, call, lead, number)
                number += 1
                reached += say.exponential(model.luck(draws.IDEA, time, lead.identity, number))


def _ideas(model: Peer, call: SimpleNamespace, lead: Cluster) -> float:
    """Return the expected number of ideas of a cluster in a call."""
    say, p = model.say, model.parameters
    assert lead.funder is not None
    terms = call.terms[lead.funder.row]
    expected = say.expected_grant(lead.funder.belief, terms.openness, terms.grant_eur)
    response = say.application_response(expected, p.grant_midpoint_eur, p.grant_response_eur)
    return float(
        say.ideas_expected(
            p.idea_rate, lead.focus, lead.size, lead.attended is call, p.attended_idea_factor, response, lead.followon
        )
    )


def _propose(model: Peer, call: SimpleNamespace, lead: Cluster, number: int) -> None:
    say, p, time = model.say, model.parameters, model.since(call)
    identity = say.identity(lead.identity, call.key)
    if number > 0:
        identity = say.identity(identity, number)
    top_down = model.luck(draws.TOP_DOWN, time, identity) < p.top_down_share
    u = model.luck(draws.DESIRED_PARTNERS, time, identity)
    wanted = min(say.partners_wanted(u, p.extra_partners_mean), MAX_PARTNERS - 1)
    members, nations, asks = [lead], {lead.country.nation}, 0
    for _, other in sorted(_preferences(model, call, lead, identity, top_down), key=lambda pair: -pair[0]):
        if len(members) > wanted or asks >= int(p.asks_max):
            break
        if other.country.nation in nations:
            continue
        asks += 1
        chance = say.acceptance_probability(other.has_funder(call), p.acceptance, p.acceptance_no_funder, other.focus)
        if model.luck(draws.ACCEPT, time, other.identity, identity) < chance:
            members.append(other)
            nations.add(other.country.nation)
    if len(members) < 2:
        return
    partners = [_partner(each, call) for each in members]
    project = Project(len(model.projects), identity, call, lead, partners, bool(top_down), model.month)
    for partner in project.partners:
        partner.project = project
        partner.cluster.busy += 1
    model.projects.append(project)
    _plan(model, project)
    model.note(CallEvent.PROPOSAL, lead.row, NOBODY, len(members), project)


def _partner(cluster: Cluster, call: SimpleNamespace) -> Partner:
    if cluster.has_funder(call):
        return Partner(cluster, cluster.funder, NOT_APPLIED)
    return Partner(cluster, None, NO_FUNDER)


def _preferences(
    model: Peer, call: SimpleNamespace, lead: Cluster, identity: int, top_down: bool
) -> list[tuple[float, Cluster]]:
    say, start = model.say, model.key(draws.CHOICE, model.since(call))
    spreads = call.funding_rule in (ALL_OR_NONE, VIRTUAL_COMMON_POT)
    preferences = []
    for other in model.clusters:
        if other.country.nation == lead.country.nation or other.busy >= other.capacity:
            continue
        funded = other.has_funder(call)
        if top_down and not funded:
            continue
        score = luck = say.gumbel(say.uniform(start, identity, other.identity))
        if not top_down:
            belief = other.funder.belief if other.funder else model.funders[0].belief
            risk = say.refusal_risk(spreads, funded, belief, model.parameters.risk_aversion)
            score = lead.appeal_of(other, float(funded)) + luck - risk
        preferences.append((score, other))
    return preferences


def _plan(model: Peer, project: Project) -> None:
    """Draw kind, effect, size and true quality."""
    say, p, who, lead = model.say, model.parameters, project.identity, project.lead
    project.kind = say.project_kind(model.luck(draws.KIND, 0, who), p.kind_share_network, p.kind_share_broadcast)
    project.effect = say.project_effect(p.project_effect_spread, say.logistic(model.luck(draws.PROJECT_EFFECT, 0, who)))
    project.size_deviate = say.logistic(model.luck(draws.PROJECT_SIZE, 0, who))
    excellence, fit, experience = lead.excellence, 0.0, lead.experience
    for partner in project.partners[1:]:
        other = partner.cluster
        excellence += other.excellence
        experience += other.experience
        theme = model.relatedness(lead.sector, other.sector)
        fit += say.partner_fit(abs(lead.focus - other.focus), theme, lead.trust.get(other.row, 0.0))
    n = len(project.partners)
    noise = p.quality_noise * say.logistic(model.luck(draws.QUALITY, 0, who))
    project.quality = say.project_quality(
        excellence / n, fit / (n - 1), experience / n, p.quality_weight_fit, p.quality_weight_experience, noise
    )
