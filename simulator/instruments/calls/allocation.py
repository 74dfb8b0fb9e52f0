"""Who gets money in a call: the five funding rules, on columns of applications.

Each rule takes the applications of one call (rows, in any order) and fills three columns: `grant`
(EUR), `cause` of refusal and `blocking` funder with `short` (EUR that were missing). Money never
exceeds the purses. What is left over stays in `purse` and is the funder's unspent money.

Columns of an application: its project (row 0..P-1), its funder, the request (EUR), the score that
its funder gave. By project: `joint`, the mean of its scores. By funder: purse, threshold, minimum.
Ties in a ranking fall to the lower project and application row, which stand in order of identity.
"""

import numpy as np

from simulator.instruments.calls.tables import (
    BELOW_THRESHOLD,
    COMMON_PURSE_EMPTY,
    NO_CAUSE,
    PARTNER_REFUSED,
    PURSE_EMPTY,
)
from simulator.jit import inline, kernel
from simulator.ordering import best_first
from simulator.parameters import ALL_OR_NONE, COMMON_POT, NEGOTIATED, VIRTUAL_COMMON_POT
from simulator.records import NOBODY
from simulator.rules.funding import award, lacks_more

_CENT = 0.005  # EUR: below this nothing is owed


@kernel
def allocate(
    funding_rule, project, funder, request, score, joint, purse, threshold, minimum, partial, central, fill_share,
    grant, own_share, cause, blocking, short,
):  # fmt: skip
    """Decide one call by `funding_rule` (position in FUNDING_RULES) and fill the last five columns.

    `purse` (F,) is reduced by what is granted; `central` (1,) is the gap-filling purse. `own_share`
    is the share of each grant that the applicant's own funder pays.
    """
    n = project.shape[0]
    for a in range(n):
        grant[a], own_share[a], short[a] = 0.0, 1.0, 0.0
        cause[a], blocking[a] = NO_CAUSE, NOBODY
    alive = np.ones(joint.shape[0], np.int64)
    common = common_threshold(purse, threshold)
    if funding_rule == ALL_OR_NONE:
        _all_or_none(project, funder, request, score, joint, purse, threshold, minimum, partial, alive,
                     grant, cause, blocking, short)  # fmt: skip
    elif funding_rule == VIRTUAL_COMMON_POT:
        _virtual_common_pot(project, funder, request, joint, purse, common, central,
                            grant, own_share, cause, blocking, short)  # fmt: skip
    elif funding_rule == COMMON_POT:
        _common_pot(project, funder, request, joint, purse, common, minimum, partial,
                    grant, own_share, cause, short)  # fmt: skip
    else:
        _independent(project, funder, request, score, purse, threshold, minimum, partial, alive,
                     grant, cause, blocking, short)  # fmt: skip
        if funding_rule == NEGOTIATED:
            _negotiate(project, funder, request, score, joint, purse, common, minimum, fill_share,
                       grant, own_share, cause, blocking, short)  # fmt: skip


@inline
def common_threshold(purse, threshold):
    """Return the threshold of a joint ranking: the funders' own, weighted by their money (0 without money)."""
    money, weighted = 0.0, 0.0
    for f in range(purse.shape[0]):
        money += purse[f]
        weighted += purse[f] * threshold[f]
    return weighted / money if money > 0.0 else 0.0


@kernel
def _independent(
    project, funder, request, score, purse, threshold, minimum, partial, alive, grant, cause, blocking, short
):
    """Each funder goes down its own ranking: it funds from the threshold up, as far as the purse reaches."""
    for a in best_first(score):
        if alive[project[a]] == 0:
            continue
        f = funder[a]
        if score[a] < threshold[f]:
            cause[a], blocking[a] = BELOW_THRESHOLD, f
            continue
        grant[a] = award(request[a], purse[f], minimum[f], partial)
        if grant[a] == 0.0:
            cause[a], blocking[a], short[a] = PURSE_EMPTY, f, request[a] - purse[f]
        purse[f] -= grant[a]


@kernel
def _all_or_none(
    project, funder, request, score, joint, purse, threshold, minimum, partial, alive, grant, cause, blocking, short
):
    """Repeat independent rankings until no project has some partners granted and some refused.

    Projects with a partner below its threshold go first. Then, in each round, the worst incomplete
    project is dropped and its money goes back to the rankings. A round drops one project, so there
    are at most as many rounds as projects.
    """
    for a in range(project.shape[0]):  # no money can complete these
        lowest = _furthest_below(project[a], project, funder, score, threshold)
        if lowest == NOBODY:
            continue
        alive[project[a]] = 0
        is_below = score[a] < threshold[funder[a]]
        cause[a] = BELOW_THRESHOLD if is_below else PARTNER_REFUSED
        blocking[a] = funder[a] if is_below else funder[lowest]
    full = purse.copy()
    while True:
        for f in range(purse.shape[0]):
            purse[f] = full[f]
        for a in range(project.shape[0]):
            if alive[project[a]] == 1:
                grant[a], cause[a], blocking[a], short[a] = 0.0, NO_CAUSE, NOBODY, 0.0
        _independent(
            project, funder, request, score, purse, threshold, minimum, partial, alive, grant, cause, blocking, short
        )
        worst, reason = _worst_incomplete(project, funder, joint, grant, short, alive)
        if worst == NOBODY:
            return
        alive[worst] = 0
        for a in range(project.shape[0]):
            if project[a] == worst and grant[a] > 0.0:
                grant[a], cause[a], blocking[a], short[a] = 0.0, PARTNER_REFUSED, blocking[reason], short[reason]


@inline
def _furthest_below(p, project, funder, score, threshold):
    """Return the application of a project that is furthest below its funder's threshold, NOBODY if none is below."""
    lowest, most = NOBODY, 0.0
    for a in range(project.shape[0]):
        if project[a] == p and threshold[funder[a]] - score[a] > most:
            lowest, most = a, threshold[funder[a]] - score[a]
    return lowest


@kernel
def _worst_incomplete(project, funder, joint, grant, short, alive):
    """Return the living project with the lowest joint score that has a refused application, and that application.

    Projects in which every application was refused count too: they hold no money, but are done with.
    """
    worst, reason = NOBODY, NOBODY
    for a in range(project.shape[0]):
        p = project[a]
        if alive[p] == 0 or grant[a] > 0.0:
            continue
        if worst == NOBODY or joint[p] < joint[worst]:
            worst, reason = p, a
        elif p == worst and lacks_more(short[a], funder[a], short[reason], funder[reason]):
            reason = a
    return worst, reason


@kernel
def _negotiate(
    project, funder, request, score, joint, purse, common, minimum, fill_share, grant, own_share, cause, blocking,
    short,
):  # fmt: skip
    """After independent decisions a good project's other funders may fill the gap that one of them leaves.

    In order of joint score; a gap is filled from `fill_share` of what the project's granting funders
    have left, in proportion, if at least the refusing funder's minimum comes together. Of two gaps in a
    project the one with the better score comes first.
    """
    left = fill_share * purse
    in_order = best_first(score)
    for p in best_first(joint):
        if joint[p] < common:
            continue
        for a in in_order:
            if project[a] != p or grant[a] > 0.0:
                continue
            offers = 0.0
            for f in range(purse.shape[0]):
                if f != funder[a] and _grants_in(p, f, project, funder, grant, own_share):
                    offers += left[f]
            filled = min(request[a], offers)
            if filled < minimum[funder[a]] or filled <= _CENT:
                continue
            for f in range(purse.shape[0]):
                if f != funder[a] and _grants_in(p, f, project, funder, grant, own_share):
                    part = filled * left[f] / offers
                    left[f] -= part
                    purse[f] -= part
            grant[a], own_share[a], cause[a], blocking[a], short[a] = filled, 0.0, NO_CAUSE, NOBODY, 0.0


@inline
def _grants_in(p, f, project, funder, grant, own_share):
    """Return whether funder f pays a partner of its own in project p."""
    for a in range(project.shape[0]):
        if project[a] == p and funder[a] == f and grant[a] > 0.0 and own_share[a] > 0.0:
            return True
    return False


@kernel
def _virtual_common_pot(
    project, funder, request, joint, purse, common, central, grant, own_share, cause, blocking, short
):
    """Fund each project of one ranking whole or not at all, with national money; a central purse fills gaps.

    A project whose gap (what national purses cannot pay) is larger than the central purse is passed
    over, and the next in rank is tried: excellent projects fail where one purse is empty
    (as in Eurostars' first calls: 27 of 112 above the threshold).
    """
    for p in best_first(joint):
        if joint[p] < common:
            _refuse(p, project, funder, BELOW_THRESHOLD, cause, blocking)
            continue
        left = purse.copy()
        gap, worst, worst_gap = 0.0, NOBODY, 0.0
        for a in range(project.shape[0]):
            if project[a] == p:
                paid = min(left[funder[a]], request[a])
                left[funder[a]] -= paid
                missing = request[a] - paid
                gap += missing
                if missing > 0.0 and lacks_more(missing, funder[a], worst_gap, worst):
                    worst, worst_gap = funder[a], missing
        if gap > central[0] + _CENT:
            for a in range(project.shape[0]):
                if project[a] == p:
                    cause[a] = PURSE_EMPTY if funder[a] == worst else PARTNER_REFUSED
                    blocking[a], short[a] = worst, gap - central[0]
            continue
        central[0] = max(0.0, central[0] - gap)
        for a in range(project.shape[0]):
            if project[a] == p:
                paid = min(purse[funder[a]], request[a])
                purse[funder[a]] -= paid
                grant[a] = request[a]
                own_share[a] = paid / request[a]


@kernel
def _common_pot(project, funder, request, joint, purse, common, minimum, partial, grant, own_share, cause, short):
    """Fund one ranking from one purse; the last project may get the remainder as smaller grants for all partners."""
    total = 0.0
    for f in range(purse.shape[0]):
        total += purse[f]
    pot = total
    for p in best_first(joint):
        wanted, least = 0.0, 0.0
        for a in range(project.shape[0]):
            if project[a] == p:
                wanted += request[a]
                least += minimum[funder[a]]
        if joint[p] < common:
            for a in range(project.shape[0]):
                if project[a] == p:
                    cause[a] = BELOW_THRESHOLD
            continue
        paid = award(wanted, pot, least, partial)
        pot -= paid
        for a in range(project.shape[0]):
            if project[a] == p:
                if paid > 0.0:
                    grant[a] = request[a] * paid / wanted
                    own_share[a] = 0.0  # the ledger shares the pot out by what was paid in
                else:
                    cause[a], short[a] = COMMON_PURSE_EMPTY, wanted - pot
    if total > 0.0:
        for f in range(purse.shape[0]):
            purse[f] *= pot / total


@inline
def _refuse(p, project, funder, reason, cause, blocking):
    """Mark every application of a project as refused for one reason."""
    for a in range(project.shape[0]):
        if project[a] == p:
            cause[a], blocking[a] = reason, funder[a]
