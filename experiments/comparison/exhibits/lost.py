"""Good applications that were refused, and why."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from experiments.comparison import views
from experiments.comparison.exhibits.changes import Changes, changes
from experiments.comparison.frames import Frames
from experiments.comparison.views import Lineup
from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import BLUE, INK, ORANGE, SKY, label_rows, plain, sheet
from experiments.exhibits.table import Cell, Row, Table


class Cause(NamedTuple):
    """Why an application is refused: the simulator's name, what it means, and how its bar looks."""

    name: str
    meaning: str
    colour: str
    hatch: str


CAUSES = (
    Cause("below_threshold", "judged too weak by the national funder", "white", "---"),
    Cause("purse_empty", "national purse empty", BLUE, ""),
    Cause("partner_refused", "another partner was refused", SKY, "////"),
    Cause("common_purse_empty", "common purse empty", ORANGE, "xxxx"),
)
GOOD, GONE = "good_projects", "good_projects_lost"


@dataclass(frozen=True)
class Lost:
    """Good applications refused, means per run.

    Attributes
    ----------
    everywhere : DataFrame
        By scenario, the base first (rows), and cause (columns).
    by_funder : DataFrame
        The same by scenario and funder.
    short, short_by_funder : Series
        EUR that they were short of, by scenario, and by scenario and funder.
    good : Changes
        Good proposals, and those of them that are wholly unfunded.
    """

    everywhere: pd.DataFrame
    by_funder: pd.DataFrame
    short: pd.Series
    short_by_funder: pd.Series
    good: Changes

    @property
    def lineup(self) -> Lineup:
        """The scenarios."""
        return self.good.lineup

    @property
    def causes(self) -> list[Cause]:
        """The causes that occur."""
        return [cause for cause in CAUSES if self.by_funder[cause.name].sum() > 0]

    def funders(self, scenario: str) -> pd.DataFrame:
        """Return refusals in one scenario by funder and cause."""
        return _of(self.by_funder, scenario)


def _of(table: Any, scenario: str) -> Any:
    """Return the rows of one scenario; none if it has none."""
    known = scenario in table.index.get_level_values("scenario")
    return table.loc[scenario] if known else table.iloc[:0].droplevel("scenario")


def data(frames: Frames) -> Lost:
    """Return good applications refused, by funder and cause."""
    shown = changes(frames, [GOOD, GONE])
    causes = [cause.name for cause in CAUSES]
    everyone = list(shown.lineup.everyone)
    refused = views.mean_per_run(frames, "lost", ["cause"], ["applications"])["applications"].unstack("cause")
    by_funder = views.mean_per_run(frames, "lost", ["funder", "cause"], ["applications"])["applications"]
    return Lost(
        refused.reindex(index=everyone, columns=causes).fillna(0.0),
        by_funder.unstack("cause").reindex(columns=causes).fillna(0.0),
        views.mean_per_run(frames, "short", [], ["short_eur"])["short_eur"].reindex(everyone).fillna(0.0),
        views.mean_per_run(frames, "short", ["funder"], ["short_eur"])["short_eur"],
        shown,
    )


# ---------- the figure


def draw(shown: Lost) -> Figure | None:
    """Draw refusals by cause, in every scenario and by funder in the base; None if there are none."""
    lineup, everywhere = shown.lineup, shown.everywhere
    if not everywhere.to_numpy().sum() > 0:
        return None
    name, funders = _closely(shown)
    sizes = [max(3, len(everywhere)), max(3, len(funders))]
    title = "Good applications that were refused, and why"
    figure = sheet(lineup.source, title, 1.3 + 0.22 * sum(sizes), _legend(shown), 2)
    top, bottom = figure.subplots(2, 1, height_ratios=sizes)
    _stack(top, everywhere)
    label_rows(top, [lineup.label(scenario) for scenario in lineup.everyone], 48)
    top.set_title("All funders together, by scenario", loc="left", fontweight="bold")
    _stack(bottom, funders)
    label_rows(bottom, [words.country(str(code)) for code in funders.index], 48)
    bottom.set_title(f"By funder, in {name}", loc="left", fontweight="bold")
    bottom.set_xlabel("refused applications in proposals above the\ncommon quality threshold, mean per run")
    return figure


def _closely(shown: Lost) -> tuple[str, pd.DataFrame]:
    """Return the scenario that is shown by funder (the base, if it loses any), and its funders, the largest first."""
    everywhere, base = shown.everywhere, shown.lineup.base
    one = base if everywhere.loc[base].sum() > 0 else str(everywhere.sum(axis=1).idxmax())
    funders = shown.funders(one)
    funders = funders.loc[funders.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    name = "the base" if one == base else f"“{shown.lineup.titles[one]}”"
    return name, funders[funders.sum(axis=1) > 0]


def _legend(shown: Lost) -> list[Patch]:
    return [
        Patch(facecolor=cause.colour, hatch=cause.hatch, edgecolor=INK, linewidth=0.6, label=cause.meaning)
        for cause in shown.causes
    ]


def _stack(axes: Any, table: pd.DataFrame) -> None:
    left = np.zeros(len(table))
    for cause in CAUSES:
        size = table[cause.name].to_numpy(float)
        axes.barh(
            range(len(table)), size, left=left, height=0.66, color=cause.colour, hatch=cause.hatch, edgecolor=INK,
            linewidth=np.where(size > 0, 0.6, 0.0),
        )  # fmt: skip
        left += size
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.axis(value)))
    axes.set_xlim(0, 1.04 * float(left.max()))
    axes.grid(axis="x")
    plain(axes, spine="bottom")


# ---------- the same in words and numbers


def caption(shown: Lost) -> Caption:
    """Say how to read the figure, and how many applications are refused."""
    total = shown.everywhere.sum(axis=1)
    by_scenario = [f"{shown.lineup.titles[key]} {words.count(float(value))}" for key, value in total.items()]
    name, funders = _closely(shown)
    by_funder = [f"{words.country(str(key))} {words.count(float(value))}" for key, value in funders.sum(axis=1).items()]
    reading = (
        "Counted are refused applications in proposals that were above the common quality threshold when all funders' "
        "assessments are taken together. The project may still go on with its other partners."
    )
    text = f"Stacked bars of good applications refused, by cause. Per run: {'; '.join(by_scenario)}."
    return Caption(reading, f"{text} By funder, in {name}: {'; '.join(by_funder)}.")


def sentence(shown: Lost) -> str:
    """Return what is lost in the base, to which cause most, and which funder is shortest of money."""
    causes = shown.everywhere.loc[shown.lineup.base]
    total = float(causes.sum())
    if not total > 0:
        return "In the base no good application is refused."
    first = max(CAUSES, key=lambda cause: causes[cause.name])
    text = (
        f"In the base {words.count(total)} good applications are refused per run; the most common cause is "
        f"“{first.meaning}” ({causes[first.name] / total:.0%})"
    )
    short = _of(shown.short_by_funder, shown.lineup.base)
    if len(short) and short.max() > 0:
        funder, money = words.country(str(short.idxmax())), words.eur(float(short.max()))
        text += f", and the funder of {funder} is shortest of money ({money})"
    return text + "."


def tables(shown: Lost) -> list[Table]:
    """Return good projects and applications lost in each scenario, by cause, and the money they were short of."""
    good, gone = (shown.good.values(name) for name in (GOOD, GONE))
    rows = []
    for scenario in shown.lineup.everyone:
        causes = (Cell(words.count(float(shown.everywhere.loc[scenario, cause.name]))) for cause in shown.causes)
        money = Cell(words.eur(float(shown.short[scenario])))
        cells = (Cell(words.count(good[scenario])), Cell(words.count(gone[scenario])), *causes, money)
        rows.append(Row(shown.lineup.label(scenario), cells, scenario == shown.lineup.base))
    heads = (
        "Good proposals", "Of these wholly unfunded",
        *(f"Applications refused: {cause.meaning}" for cause in shown.causes), "Money they were short of",
    )  # fmt: skip
    return [Table("Per run over the counted calls", "Scenario", heads, tuple(rows))]


def tables_by_funder(shown: Lost) -> list[Table]:
    """Return a table for each scenario that loses any: applications refused by each funder, by cause."""
    tables = [_by_funder(shown, scenario) for scenario in shown.lineup.everyone]
    return [table for table in tables if table.rows]


def _by_funder(shown: Lost, scenario: str) -> Table:
    short, rows = _of(shown.short_by_funder, scenario), []
    for code, line in shown.funders(scenario).iterrows():
        money = float(short.get(code, 0.0))
        if line.sum() > 0 or money > 0:
            causes = (Cell(words.count(float(line[cause.name]))) for cause in shown.causes)
            rows.append(Row(words.country(str(code)), (*causes, Cell(words.eur(money)))))
    heads = (*(words.capital(cause.meaning) for cause in shown.causes), "Money they were short of")
    return Table(shown.lineup.label(scenario), "Funder", heads, tuple(rows))


EXHIBIT = Exhibit("lost", data, draw, caption, tables)
BY_FUNDER = Exhibit("lost_by_funder", data, tables=tables_by_funder)
