"""A call closes: who applies, who gets money, when each decision arrives, and what follows."""

import math
from types import SimpleNamespace

from benchmarks.peer.agents import Funder, Partner, Project
from benchmarks.peer.allocation import Application, Round
from benchmarks.peer.base import Peer
from simulator import draws
from simulator.instruments.calls.events import CallEvent
from simulator.instruments.calls.tables import FUNDED, NOT_STARTED, REFUSED
from simulator.parameters import COMMITTED_DATE, COMMON_POT, INDEPENDENT, SLOWEST_DATE, VIRTUAL_COMMON_POT
from simulator.records import NEVER, NOBODY


def decide(model: Peer) -> None:
    """At the close of a call partners apply, the funding rule decides, and dates and starts follow."""
    for call in model.calls:
        if call.close_month == model.month and call.held:
            projects = [each for each in model.projects if each.call is call]
            _set_dates(model, call)
            purse, central = _open_purses(model, call)
            applications = _apply(model, call, projects)
            _award(model, call, projects, applications, purse, central)
            _close_purses(model, call, purse, central)
            for project in projects:
                _plan_starts(model, project)


def _paying(model: Peer, call: SimpleNamespace) -> list[Funder]:
    return [each for each in model.funders if call.terms[each.row].budget_eur > 0.0]


def _set_dates(model: Peer, call: SimpleNamespace) -> None:
    say, p = model.say, model.parameters
    funders = _paying(model, call)
    for each in funders:
        terms = call.terms[each.row]
        luck = say.logistic(model.luck(draws.DECISION_LAG, model.since(call), each.country.key))
        spread = call.lag_spread_factor
        lag = say.decision_lag(
            p.lag_first_months, p.lag_spread_months, spread, terms.lag_position, p.lag_noise_months, luck
        )
        each.books[call.row].decision_month = call.close_month + math.ceil(terms.deadline_months + lag)
    slowest = max((each.books[call.row].decision_month for each in funders), default=NEVER)
    for each in funders:
        if call.decision_dates == SLOWEST_DATE:
            each.books[call.row].decision_month = slowest
        elif call.decision_dates == COMMITTED_DATE:
            each.books[call.row].decision_month = call.close_month + math.ceil(call.committed_months)


def _open_purses(model: Peer, call: SimpleNamespace) -> tuple[list[float], list[float]]:
    purse, central = [0.0] * len(model.funders), [0.0]
    for each in _paying(model, call):
        terms, book = call.terms[each.row], each.books[call.row]
        paid_back = min(each.debt, terms.budget_eur)
        each.debt -= paid_back
        at_hand = terms.budget_eur + each.carried - paid_back
        each.carried, book.offered = 0.0, at_hand
        shared = call.top_up_share * at_hand if call.funding_rule == VIRTUAL_COMMON_POT else 0.0
        central[0] += shared
        purse[each.row] = at_hand - shared
        book.phase_two_left = terms.phase_two_share * terms.budget_eur
    return purse, central


def _apply(model: Peer, call: SimpleNamespace, projects: list[Project]) -> list[Application]:
    say, p, time = model.say, model.parameters, model.since(call)
    applications = []
    for project in projects:
        for partner in project.partners:
            funder = partner.funder
            if funder is None:
                continue
            terms = call.terms[funder.row]
            u = model.luck(draws.APPLY, time, partner.cluster.identity, project.identity)
            if u >= p.p_apply * terms.openness:
                continue
            error = p.assessment_error * say.logistic(
                model.luck(draws.ASSESS, time, funder.country.key, project.identity)
            )
            partner.assessed = say.assessed_quality(project.quality, error)
            partner.request_eur, partner.money = terms.grant_eur, REFUSED
            funder.books[call.row].applications += 1.0
            model.note(CallEvent.APPLIED, partner.cluster.row, funder.row, terms.grant_eur, project)
            applications.append(Application(partner, project, funder, terms.grant_eur, partner.assessed))
    return applications


def _award(model, call, projects, applications, purse, central) -> None:  # type: ignore[no-untyped-def]
    say, p = model.say, model.parameters
    threshold, minimum = [0.0] * len(purse), [0.0] * len(purse)
    for each in _paying(model, call):
        spread = math.sqrt(p.quality_noise**2 + p.assessment_error**2)
        threshold[each.row] = say.quality_threshold(call.terms[each.row].pass_share, spread)
        minimum[each.row] = call.terms[each.row].grant_min_eur
    for project in projects:
        scores = [each.score for each in applications if each.project is project]
        project.joint_score = sum(scores) / len(scores) if scores else -math.inf
    before = list(purse)
    ranking = Round(say, call, applications, purse, threshold, minimum, central)
    ranking.decide()
    for project in projects:
        project.threshold = ranking.common
    for each in applications:
        partner = each.partner
        partner.grant_eur, partner.own_share, partner.short_eur = each.grant, each.own_share, each.short
        partner.cause, partner.blocking = each.cause, each.blocking
        if each.grant > 0.0:
            partner.money = FUNDED
            each.funder.books[call.row].approvals += 1.0
            each.funder.books[call.row].granted += each.grant
    for each in model.funders:
        each.books[call.row].outlay = before[each.row] - purse[each.row]


def _close_purses(model: Peer, call: SimpleNamespace, purse: list[float], central: list[float]) -> None:
    total = sum(each.books[call.row].offered for each in model.funders)
    shared = call.top_up_share if call.funding_rule == VIRTUAL_COMMON_POT else 0.0
    for each in _paying(model, call):
        book = each.books[call.row]
        part = book.offered / total if total > 0.0 else 0.0
        book.outlay += shared * book.offered - part * central[0]
        each.carried = call.carry_over_share * (purse[each.row] + part * central[0])
        if book.applications > 0.0:
            learning = model.parameters.belief_learning
            each.belief = model.say.belief_after(each.belief, book.approvals / book.applications, learning)


def _plan_starts(model: Peer, project: Project) -> None:
    p, call, what = model.parameters, project.call, project.identity
    time = model.since(call)
    applied = [each for each in project.partners if each.money in (FUNDED, REFUSED)]
    joint = _joint_date(model, project, applied)
    project.decided_month, starts = call.close_month + 1, []
    for each in applied:
        assert each.funder is not None
        each.decision_month = max(each.funder.books[call.row].decision_month, joint)
        project.decided_month = max(project.decided_month, each.decision_month)
        if each.money == FUNDED:
            if model.luck(draws.NONSTART, time, each.cluster.identity, what) < p.p_nonstart:
                each.money = NOT_STARTED
            else:
                each.start_month = each.decision_month
                starts.append(each.start_month)
    if not starts and model.luck(draws.GO_ALONE, time, what) >= p.p_go_alone:
        return
    first_start = min(starts, default=project.decided_month)
    for each in project.partners:
        if each.start_month != NEVER or each.money == NOT_STARTED:
            continue
        start = first_start
        if each.money == REFUSED:
            if model.luck(draws.LEAVE_UNFUNDED, time, each.cluster.identity, what) < p.p_leave_unfunded:
                continue
            start = max(first_start, each.decision_month + math.floor(p.replan_months + 0.5))
        each.start_month = start
    _set_ends(project)


def _joint_date(model: Peer, project: Project, applied: list[Partner]) -> int:
    if project.call.funding_rule == INDEPENDENT:
        return NEVER
    if project.call.funding_rule in (VIRTUAL_COMMON_POT, COMMON_POT):
        deciding = model.funders
    else:
        deciding = [each.funder for each in applied if each.funder]
    return max((each.books[project.call.row].decision_month for each in deciding), default=NEVER)


def _set_ends(project: Project) -> None:
    months = {each: int(project.call.terms[each.funder.row].project_months) for each in project.partners if each.funder}
    for each in project.partners:
        if each.start_month != NEVER:
            each.end_month = each.start_month + months.get(each, max(months.values(), default=0))
            project.end_month = max(project.end_month, each.end_month)


def announce(model: Peer) -> None:
    """Decisions arrive; consortia without any start are given up."""
    for project in model.projects:
        if project.decided_month < model.month or project.decided_month == NEVER:
            continue
        for each in project.partners:
            if each.decision_month == model.month:
                _tell(model, project, each)
        if project.decided_month > model.month:
            continue
        starting = [each for each in project.partners if each.start_month != NEVER]
        if not starting:
            project.alive = False
            model.note(CallEvent.GIVEN_UP, project.lead.row, NOBODY, 0.0, project)
        for each in project.partners:
            if each not in starting:
                each.cluster.busy -= 1
        if starting and not any(each.money == FUNDED for each in project.partners):
            model.note(CallEvent.WENT_ALONE, project.lead.row, NOBODY, 0.0, project)


def _tell(model: Peer, project: Project, partner: Partner) -> None:
    assert partner.funder is not None
    who, whom = partner.cluster.row, partner.funder.row
    if partner.money == REFUSED:
        model.note(CallEvent.REFUSED, who, whom, partner.short_eur, project)
        return
    model.note(CallEvent.GRANTED, who, whom, partner.grant_eur, project)
    if partner.money == FUNDED:
        partner.funder.books[project.call.row].taken_up += partner.grant_eur
    if partner.money == NOT_STARTED:
        model.note(CallEvent.NOT_STARTED, who, whom, partner.grant_eur, project)
