"""The five funding rules on lists of applications: who gets money in one call."""

from dataclasses import dataclass

from benchmarks.peer.agents import Funder, Partner, Project
from simulator.instruments.calls.tables import (
    BELOW_THRESHOLD,
    COMMON_PURSE_EMPTY,
    NO_CAUSE,
    PARTNER_REFUSED,
    PURSE_EMPTY,
)
from simulator.parameters import ALL_OR_NONE, COMMON_POT, NEGOTIATED, VIRTUAL_COMMON_POT
from simulator.records import NOBODY

CENT = 0.005


@dataclass(slots=True, eq=False)
class Application:
    """One partner's application, and what becomes of it."""

    partner: Partner
    project: Project
    funder: Funder
    request: float
    score: float
    grant: float = 0.0
    own_share: float = 1.0
    cause: int = NO_CAUSE
    blocking: int = NOBODY
    short: float = 0.0

    def settle(self, grant: float = 0.0, cause: int = NO_CAUSE, blocking: int = NOBODY, short: float = 0.0) -> None:
        """Write the result."""
        self.grant, self.cause, self.blocking, self.short = grant, cause, blocking, short


class Round:
    """One call's decision: applications, what each funder has (by row), what it asks for, and the central purse."""

    def __init__(self, say, call, applications, purse, threshold, minimum, central) -> None:  # type: ignore[no-untyped-def]
        self.say, self.call, self.central = say, call, central
        self.purse, self.threshold, self.minimum = purse, threshold, minimum
        self.best_first = sorted(applications, key=lambda each: -each.score)
        self.of: dict[Project, list[Application]] = {}
        for each in applications:
            self.of.setdefault(each.project, []).append(each)
        self.partial = call.partial_awards > 0.0
        money = weighted = 0.0
        for f, at_hand in enumerate(purse):
            money += at_hand
            weighted += at_hand * threshold[f]
        self.common = weighted / money if money > 0.0 else 0.0

    def decide(self) -> None:
        """Decide by the call's rule."""
        rule = self.call.funding_rule
        if rule == ALL_OR_NONE:
            self._all_or_none()
        elif rule == VIRTUAL_COMMON_POT:
            self._virtual_common_pot()
        elif rule == COMMON_POT:
            self._common_pot()
        else:
            self._independent(set(self.of))
            if rule == NEGOTIATED:
                self._negotiate()

    def _ranked(self) -> list[Project]:
        return sorted(self.of, key=lambda project: -project.joint_score)

    def _independent(self, alive: set[Project]) -> None:
        for each in self.best_first:
            if each.project not in alive:
                continue
            f = each.funder.row
            if each.score < self.threshold[f]:
                each.settle(cause=BELOW_THRESHOLD, blocking=f)
                continue
            paid = self.say.award(each.request, self.purse[f], self.minimum[f], self.partial)
            if paid == 0.0:
                each.settle(cause=PURSE_EMPTY, blocking=f, short=each.request - self.purse[f])
            else:
                each.settle(grant=paid)
            self.purse[f] -= paid

    def _all_or_none(self) -> None:
        alive = set(self.of)
        for project, applications in self.of.items():
            gaps = [(self.threshold[each.funder.row] - each.score, each) for each in applications]
            most = max(gap for gap, _ in gaps)
            if most <= 0.0:
                continue
            alive.discard(project)
            lowest = next(each for gap, each in gaps if gap == most)
            for gap, each in gaps:
                is_below = gap > 0.0
                f = each.funder.row if is_below else lowest.funder.row
                each.settle(cause=BELOW_THRESHOLD if is_below else PARTNER_REFUSED, blocking=f)
        full = list(self.purse)
        while True:
            self.purse[:] = full
            self._independent(alive)
            incomplete = [each for each in self.of if each in alive and any(a.grant == 0.0 for a in self.of[each])]
            if not incomplete:
                return
            worst = min(incomplete, key=lambda project: project.joint_score)
            alive.discard(worst)
            refused = [a for a in self.of[worst] if a.grant == 0.0]
            reason = max(refused, key=lambda a: (a.short, -a.funder.row))
            for each in self.of[worst]:
                if each.grant > 0.0:
                    each.settle(cause=PARTNER_REFUSED, blocking=reason.blocking, short=reason.short)

    def _negotiate(self) -> None:
        left = [self.call.fill_share * money for money in self.purse]
        for project in self._ranked():
            if project.joint_score < self.common:
                continue
            for each in self.best_first:
                if each.project is not project or each.grant > 0.0:
                    continue
                paying = sorted({
                    other.funder.row for other in self.of[project]
                    if other.grant > 0.0 and other.own_share > 0.0 and other.funder is not each.funder
                })  # fmt: skip
                offers = 0.0
                for f in paying:
                    offers += left[f]
                paid = min(each.request, offers)
                if paid < self.minimum[each.funder.row] or paid <= CENT:
                    continue
                for f in paying:
                    part = paid * left[f] / offers
                    left[f] -= part
                    self.purse[f] -= part
                each.settle(grant=paid)
                each.own_share = 0.0

    def _virtual_common_pot(self) -> None:
        for project in self._ranked():
            applications = self.of[project]
            if project.joint_score < self.common:
                for each in applications:
                    each.settle(cause=BELOW_THRESHOLD, blocking=each.funder.row)
                continue
            left, gap, missing = list(self.purse), 0.0, []
            for each in applications:
                f = each.funder.row
                paid = min(left[f], each.request)
                left[f] -= paid
                gap += each.request - paid
                missing.append((each.request - paid, -f))
            if gap > self.central[0] + CENT:
                worst = -max(missing)[1]
                for each in applications:
                    cause = PURSE_EMPTY if each.funder.row == worst else PARTNER_REFUSED
                    each.settle(cause=cause, blocking=worst, short=gap - self.central[0])
                continue
            self.central[0] = max(0.0, self.central[0] - gap)
            for each in applications:
                f = each.funder.row
                paid = min(self.purse[f], each.request)
                self.purse[f] -= paid
                each.settle(grant=each.request)
                each.own_share = paid / each.request

    def _common_pot(self) -> None:
        total = pot = sum(self.purse)
        for project in self._ranked():
            applications = self.of[project]
            if project.joint_score < self.common:
                for each in applications:
                    each.settle(cause=BELOW_THRESHOLD)
                continue
            wanted = sum(each.request for each in applications)
            least = sum(self.minimum[each.funder.row] for each in applications)
            paid = self.say.award(wanted, pot, least, self.partial)
            pot -= paid
            for each in applications:
                if paid > 0.0:
                    each.settle(grant=each.request * paid / wanted)
                    each.own_share = 0.0
                else:
                    each.settle(cause=COMMON_PURSE_EMPTY, short=wanted - pot)
        if total > 0.0:
            self.purse[:] = [money * (pot / total) for money in self.purse]
