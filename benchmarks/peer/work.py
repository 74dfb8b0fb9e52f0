"""Projects at work: starts, recruitment, a month's activities, and their end."""

from itertools import combinations

from benchmarks.peer.agents import Participation, Partner, Project
from benchmarks.peer.base import Peer
from simulator import draws
from simulator.instruments.calls.events import CallEvent
from simulator.instruments.calls.tables import FUNDED, NO_FUNDER, NOT_APPLIED
from simulator.records import NEVER, NOBODY


def start_partners(model: Peer) -> None:
    """Partners whose start has come set up and engage their SMEs."""
    for project in model.projects:
        if project.alive and project.decided_month != NEVER:
            for each in project.partners:
                if each.start_month == model.month:
                    project.phase = max(1, project.phase)
                    _equip(model, project, each)
                    funder = each.funder.row if each.funder else NOBODY
                    model.note(CallEvent.STARTED, each.cluster.row, funder, each.grant_eur, project)
                    _recruit(model, project, each)


def _typical(project: Project):  # type: ignore[no-untyped-def]
    """Return the lead's terms."""
    lead = project.partners[0].funder
    assert lead is not None
    return project.call.terms[lead.row]


def _equip(model: Peer, project: Project, partner: Partner) -> None:
    say, p = model.say, model.parameters
    months = float(partner.end_month - partner.start_month)
    grant, partner.effort = partner.grant_eur, 1.0
    if partner.money == FUNDED:
        assert partner.funder is not None
        rate = project.call.terms[partner.funder.row].cofinance_rate
        partner.paid_eur_month = grant / months
    else:
        associate = partner.money in (NO_FUNDER, NOT_APPLIED)
        partner.effort = p.associate_effort if associate else p.unfunded_effort
        grant, rate = _typical(project).grant_eur, _typical(project).cofinance_rate
    partner.activity_eur = say.monthly_activity_eur(grant, rate, p.setup_cost_eur, p.overhead_eur_month, months)
    luck = model.luck(draws.LEAVE, model.since(project.call), partner.cluster.identity, project.identity)
    partner.leave_threshold = say.exponential(luck)


def _recruit(model: Peer, project: Project, partner: Partner) -> None:
    say, p, call, cluster = model.say, model.parameters, project.call, partner.cluster
    time, what, funded = model.since(call), project.identity, partner.money == FUNDED
    sought = min(len(cluster.members), _target(model, project, partner, funded))
    noise = model.key(draws.RECRUIT, time)
    scores = {
        each: say.recruitment_score(
            p.recruit_readiness_weight, each.readiness, each.spare_time,
            say.gumbel(say.uniform(noise, each.identity, what)),
        )
        for each in cluster.members
    }  # fmt: skip
    keep = say.interest_left(p.waiting_loss, model.month - call.close_month)
    least = min(sought, int(p.smes_minimum)) if funded else 1
    left = sought
    keenest = sorted(cluster.members, key=lambda each: -scores[each])[:sought]
    for sme in sorted(keenest, key=lambda each: each.row):
        who = sme.identity
        waited = model.luck(draws.RECRUITED_BEFORE, time, who, what) < p.recruited_before_share
        if waited and left > least and model.luck(draws.LOSE_INTEREST, time, who, what) >= keep:
            left -= 1
            partner.lost_waiting += 1
            continue
        part = Participation(
            sme, partner, model.luck(draws.ACTIVE, time, who, what) < p.active_share,
            say.exponential(model.luck(draws.KNOW, time, who, what)),
            say.exponential(model.luck(draws.CONTACT, time, who, what)),
        )  # fmt: skip
        partner.smes.append(part)
        if part.is_active:
            partner.active += 1
            project.active_smes += 1
            sme.projects += 1
    model.note(CallEvent.ENGAGED, cluster.row, NOBODY, len(partner.smes), project)


def _target(model: Peer, project: Project, partner: Partner, funded: bool) -> int:
    p, typical = model.parameters, _typical(project).grant_eur
    factor = model.say.kind_factor(project.kind, p.kind_factor_network, p.kind_factor_broadcast)
    ratio = partner.grant_eur / typical if funded else partner.effort
    sought = model.say.smes_sought(
        p.smes_per_partner, factor, p.smes_spread, project.size_deviate,
        max(ratio * typical / p.grant_reference_eur, 0.01), p.recruit_grant_elasticity,
        float(project.call.close_month - project.idea_month), p.preparation_half_months,
    )  # fmt: skip
    return max(int(p.smes_minimum) if funded else 1, int(sought + 0.5))


def work(model: Peer) -> None:
    """Partners work for a month: payments, exits, doses."""
    say, p, month = model.say, model.parameters, model.month
    for project in under_way(model):
        for each in project.partners:
            each.dose = 0.0
            if month == each.end_month and not each.has_left:
                each.release()
            if each.start_month == NEVER or not each.start_month <= month < each.end_month:
                continue
            if each.funder and each.paid_eur_month > 0.0:
                each.funder.books[project.call.row].spent += each.paid_eur_month
            if _leaves(model, project, each) or month - each.start_month < p.setup_months:
                continue
            effort = say.effort_left(each.effort, p.fatigue, float(month - each.start_month) - p.setup_months)
            factor = say.excellence_factor(each.cluster.excellence, p.quality_spread)
            each.dose = say.service_dose(
                each.activity_eur * effort, factor, each.active, p.rivalry, p.half_saturation_eur
            )


def under_way(model: Peer) -> list[Project]:
    return [each for each in model.projects if each.alive and each.phase > 0]


def _leaves(model: Peer, project: Project, partner: Partner) -> bool:
    p = model.parameters
    partner.leave_hazard += model.say.leave_hazard(
        p.hazard_leave, partner.money != FUNDED, project.top_down, p.leave_factor_unfunded, p.leave_factor_misfit
    )
    if not partner.has_left:
        return False
    model.note(CallEvent.PARTNER_LEFT, partner.cluster.row, NOBODY, 0.0, project)
    partner.end_month = model.month
    partner.release()
    partner.cluster.busy -= 1
    return True


def review_and_close(model: Peer) -> None:
    """In its last month a project is reviewed where there is a phase two; it goes on, or closes."""
    say, p = model.say, model.parameters
    for project in under_way(model):
        if project.end_month != model.month + 1:
            continue
        success = say.is_success(float(project.partnerships), project.active_smes, p.milestone_partnerships)
        funded = [each for each in project.partners if each.money == FUNDED]
        offered = any(project.call.terms[each.funder.row].phase_two_share > 0.0 for each in funded if each.funder)
        if project.phase == 1 and offered:
            u = model.luck(draws.MILESTONE, 0, project.identity)
            passed = say.review_verdict(success, u, p.p_milestone_seen)
            model.note(CallEvent.REVIEWED, project.lead.row, NOBODY, float(passed), project)
            if passed and _extend(model, project, funded):
                continue
        _close(model, project, success)


def _extend(model: Peer, project: Project, funded: list[Partner]) -> bool:
    say, p, call = model.say, model.parameters, project.call
    months, extended = int(call.phase_two_months), False
    for each in funded:
        if each.start_month == NEVER or each.has_left or each.funder is None:
            continue
        terms, book = call.terms[each.funder.row], each.funder.books[call.row]
        grant = say.phase_two_grant(
            each.grant_eur, float(int(terms.project_months)), float(months), call.phase_two_grant_factor
        )
        if grant <= 0.0 or grant > book.phase_two_left:
            continue
        book.phase_two_left -= grant
        book.phase_two_granted += grant
        each.funder.debt += call.phase_two_from_next_call * grant
        each.phase_two_eur, each.paid_eur_month = grant, grant / months
        each.activity_eur = say.monthly_activity_eur(
            grant, terms.cofinance_rate, 0.0, p.overhead_eur_month, float(months)
        )
        _go_on(model, each, months)
        extended = True
        model.note(CallEvent.EXTENDED, each.cluster.row, each.funder.row, grant, project)
    if extended:
        for each in project.partners:
            if each.money != FUNDED and each.start_month != NEVER and not each.has_left:
                _go_on(model, each, months)
        project.phase, project.end_month = 2, model.month + 1 + months
    return extended


def _go_on(model: Peer, partner: Partner, months: int) -> None:
    if partner.end_month <= model.month:
        for part in partner.smes:
            if part.is_active:
                part.sme.projects += 1
    partner.end_month = model.month + 1 + months


def _close(model: Peer, project: Project, success: bool) -> None:
    project.alive = False
    model.note(CallEvent.CLOSED, project.lead.row, NOBODY, float(success), project)
    for each in project.partners:
        each.dose = 0.0
        if each.start_month == NEVER or each.has_left:
            continue
        if each.end_month > model.month:
            each.release()
        each.cluster.busy -= 1
        each.cluster.experience += 1.0
        if success:
            each.cluster.followon = max(each.cluster.followon, model.parameters.followon_gain)
    for one, other in combinations(project.partners, 2):
        _trust_each_other(model, one, other)


def _trust_each_other(model: Peer, one: Partner, other: Partner) -> None:
    if one.start_month == NEVER or other.start_month == NEVER:
        return
    share = model.say.share_together(one.start_month, one.end_month, other.start_month, other.end_month)
    a, b = one.cluster, other.cluster
    gain = model.parameters.cluster_trust_gain * share
    a.trust[b.row] = b.trust[a.row] = model.say.gap_closed(a.trust.get(b.row, 0.0), gain)
    a.knows(b, model.say.gap_closed(a.familiarity.get(b.row, 0.0), share))
