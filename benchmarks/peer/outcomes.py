"""What SMEs get out of a month: knowledge, contacts, trust, and what ties yield."""

import math

from benchmarks.peer.agents import Participation, Project, Tie
from benchmarks.peer.base import Peer
from benchmarks.peer.work import under_way
from simulator import draws
from simulator.outcomes.events import OutcomeEvent
from simulator.outcomes.tables import CONTRACT, KNOWLEDGE, OUTCOMES, PARTNERSHIP, RNI
from simulator.records import NEVER, NOBODY

KIND_OF = {PARTNERSHIP: OutcomeEvent.PARTNERSHIP, RNI: OutcomeEvent.RNI_COLLABORATION, CONTRACT: OutcomeEvent.CONTRACT}
LUCK_OF = {RNI: draws.RNI, CONTRACT: draws.CONTRACT}


def _dose(model: Peer, part: Participation) -> float:
    return model.say.sme_dose(part.partner.dose, part.sme.spare_time, part.sme.projects)


def learn_and_meet(model: Peer) -> None:
    """Knowledge from services, first contacts with those at work abroad."""
    say, p = model.say, model.parameters
    for project in under_way(model):
        for partner in project.partners:
            if partner.dose <= 0.0:
                continue
            others = [each for each in project.partners if each is not partner]
            everybody = float(sum(each.active for each in others))
            here = float(sum(each.active for each in others if each.dose > 0.0))
            at_work = here / everybody if everybody > 0.0 else 0.0
            for part in partner.smes:
                if not part.is_active:
                    continue
                dose = _dose(model, part)
                if part.knowledge_month == NEVER:
                    part.know_hazard += say.service_hazard(p.h_knowledge, dose, p.dose_reference, project.effect)
                    if part.know_hazard >= part.know_threshold:
                        _learn(model, project, part)
                if at_work > 0.0:
                    hazard = say.service_hazard(p.h_contact, dose, p.dose_reference, project.effect)
                    part.contact_hazard += at_work * hazard
                    if part.contact_hazard >= part.contact_threshold:
                        _meet_somebody(model, project, part)


def _learn(model: Peer, project: Project, part: Participation) -> None:
    sme, time = part.sme, model.since(project.call)
    part.knowledge_month = model.month
    sme.readiness = model.say.gap_closed(sme.readiness, model.parameters.readiness_gain)
    model.note(OutcomeEvent.KNOWLEDGE, sme.row, NOBODY, 1.0, project)
    model.meets_own_need(sme, KNOWLEDGE, project.identity, time, project, project.call)


def _meet_somebody(model: Peer, project: Project, part: Participation) -> None:
    say, sme, time = model.say, part.sme, model.since(project.call)
    luck, common = model.key(draws.COUNTERPART, time), model.key(draws.COMPLEMENT, 0)
    part.contact_hazard = 0.0
    part.contacts += 1
    again = model.since(project.call, part.contacts)
    part.contact_threshold = say.exponential(model.luck(draws.CONTACT, again, sme.identity, project.identity))
    best, best_score, best_fit = None, -math.inf, 0.0
    for partner in project.partners:
        if partner.dose <= 0.0 or partner.cluster.country.nation == part.partner.cluster.country.nation:
            continue
        for other in partner.smes:
            if not other.is_active or _have_met(model, part, other):
                continue
            fit = say.complementarity(
                say.uniform_of_pair(common, sme.identity, other.sme.identity),
                model.relatedness(sme.sector, other.sme.sector),
            )
            score = say.counterpart_score(fit, say.uniform_of_pair(luck, sme.identity, other.sme.identity))
            if score > best_score:
                best, best_score, best_fit = other, score, fit
    if best is not None:
        _tie(model, project, part, best, best_fit)


def _pair(part: Participation, other: Participation) -> tuple[Participation, Participation]:
    return (part, other) if part.sme.row < other.sme.row else (other, part)


def _have_met(model: Peer, part: Participation, other: Participation) -> bool:
    one, two = _pair(part, other)
    tie = model.ties.get((one.sme.row, two.sme.row))
    return tie is not None and part in tie.parts


def _tie(model: Peer, project: Project, part: Participation, other: Participation, fit: float) -> None:
    say, p = model.say, model.parameters
    parts = _pair(part, other)
    one, two = parts[0].sme, parts[1].sme
    tie = model.ties.get((one.row, two.row))
    if tie is None:
        like = one.cluster.country.language == two.cluster.country.language
        tie = Tie(
            one, two, fit, say.distance(like, p.distance_factor), {kind: 0.0 for kind in LUCK_OF},
            {kind: 0.0 for kind in LUCK_OF}, {kind: 0 for kind in LUCK_OF},
        )  # fmt: skip
        for kind in LUCK_OF:
            _next_threshold(model, tie, kind)
        model.ties[one.row, two.row] = tie
    tie.alive, tie.call, tie.parts = True, project.call, parts
    tie.trust = max(tie.trust, p.trust_start)
    model.note(OutcomeEvent.CONTACT, one.row, two.row, 1.0, project)


def _next_threshold(model: Peer, tie: Tie, kind: int) -> None:
    start = model.key(LUCK_OF[kind], tie.counts[kind])
    u = model.say.uniform_of_pair(start, tie.one.identity, tie.other.identity)
    tie.thresholds[kind] = model.say.exponential(u)


def live_ties(model: Peer) -> None:
    """Trust grows where both are at work and fades otherwise; hazards follow trust."""
    say, p = model.say, model.parameters
    for tie in model.ties.values():
        if not tie.alive:
            continue
        one, other = tie.parts
        project = one.partner.project
        assert project is not None
        together = project.alive and one.partner.dose > 0.0 and other.partner.dose > 0.0
        dose, extra = 0.0, project.effect
        if together:
            dose = say.joint_dose(_dose(model, one), _dose(model, other))
            tie.trust = say.trust_after_contact(tie.trust, dose, p.dose_reference, p.trust_months, p.trust_half)
            if project.phase == 2:
                extra *= p.phase_two_effect
        else:
            tie.trust = say.trust_after_silence(tie.trust, p.tie_decay)
            if tie.trust < p.tie_forgotten_trust:
                tie.alive = False
                continue
        if tie.partnership_month == NEVER and tie.trust >= p.partnership_trust:
            tie.partnership_month = model.month
            if together:
                project.partnerships += 1
            _book(model, tie, project, PARTNERSHIP, 0)
        readiness = 0.5 * (tie.one.readiness + tie.other.readiness)
        promise = say.tie_promise(
            tie.complementarity, p.complementarity_slope, readiness, p.readiness_slope, tie.distance
        )
        touch = say.in_touch(tie.trust, dose, p.dose_reference)
        common = say.conversion_hazard(1.0, promise, tie.trust, p.trust_slope, touch, extra)
        for kind, base in ((RNI, p.h_rni), (CONTRACT, p.h_contract)):
            tie.hazards[kind] += base * common
            if tie.hazards[kind] >= tie.thresholds[kind]:
                tie.counts[kind] += 1
                tie.hazards[kind] = 0.0
                _next_threshold(model, tie, kind)
                _book(model, tie, project, kind, tie.counts[kind])


def _book(model: Peer, tie: Tie, project: Project, outcome: int, number: int) -> None:
    assert tie.call is not None
    time = model.since(tie.call, number)
    model.note(KIND_OF[outcome], tie.one.row, tie.other.row, 1.0, project, tie.call)
    for sme, other in ((tie.one, tie.other), (tie.other, tie.one)):
        met = model.meets_own_need(sme, outcome, other.identity, time, project, tie.call)
        if outcome == CONTRACT and not met:
            model.displace(sme, other.identity, time, project, tie.call)


def slow_own_paths(model: Peer) -> None:
    """SMEs active in a project give up part of their own effort."""
    for project in model.projects:
        for partner in project.partners:
            if partner.dose <= 0.0:
                continue
            for part in partner.smes:
                if part.is_active:
                    for outcome in range(len(OUTCOMES)):
                        substitution = model.parameters.own_effort_substitution
                        part.sme.due[outcome] += model.say.own_delay(substitution, part.sme.projects)
