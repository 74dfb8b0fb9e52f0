"""The report's tables of what scenarios change: rows of text, every number with its unit, the base first."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from experiments.comparison import views
from experiments.exhibits import words
from experiments.exhibits.words import Form

if TYPE_CHECKING:
    from experiments.comparison.frames import Frames as Comparison


@dataclass(frozen=True)
class Cell:
    """A value and, below it in small, its change."""

    text: str
    small: str = ""


@dataclass(frozen=True)
class Row:
    """A row with its header; `base` rows are set off. The header stands for `span` rows; 0: it stands above."""

    head: str
    cells: tuple[Cell, ...]
    base: bool = False
    span: int = 1


@dataclass(frozen=True)
class Table:
    """A table: what it shows, what stands in its columns, its rows. `prose` columns hold text, not numbers."""

    caption: str
    corner: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    prose: tuple[int, ...] = ()


def with_base(comparison: "Comparison", scenario: str) -> str:
    """A row's header: the scenario's title, the base marked as such."""
    title = views.title(comparison, scenario)
    return f"{title} (base)" if scenario == comparison.base and views.others(comparison) else title


def spanned(rows: list[Row]) -> tuple[Row, ...]:
    """Rows with the same header, one after another, share it."""
    found: list[Row] = []
    for place, row in enumerate(rows):
        if place > 0 and rows[place - 1].head == row.head:
            found.append(replace(row, span=0))
        else:
            same = 1
            while place + same < len(rows) and rows[place + same].head == row.head:
                same += 1
            found.append(replace(row, span=same))
    return tuple(found)


def change_cell(row: pd.Series, form: Form, *, interval: bool = False) -> Cell:
    """A scenario's mean and its change: relative, or in the measure's own unit where the base has none."""
    if not math.isfinite(row["value"]):
        return Cell(words.MISSING)
    if math.isfinite(row["relative"]):
        change, low, high = words.percent(row["relative"]), row["relative_low"], row["relative_high"]
        ends = words.between(low, high)
    elif math.isfinite(row["difference"]) and row["difference"] != 0:
        change = words.signed(row["difference"], form)
        ends = words.between(row["difference_low"], row["difference_high"], lambda x: words.signed(x, form))
    else:
        return Cell(form(row["value"]))
    small = f"{change}\n({ends})" if interval and ends != words.MISSING else change
    return Cell(form(row["value"]), small)


def _measure_table(
    comparison: "Comparison", basis: str, caption: str, columns: list[tuple[str, str, Form]], intervals: set[str]
) -> Table:
    """One row per scenario, one column per measure."""
    rows = [Row(with_base(comparison, comparison.base), tuple(
        Cell(form(views.base_value(comparison, measure, basis))) for measure, _, form in columns
    ), True)]  # fmt: skip
    if not views.others(comparison):
        caption = "Means per run over the counted calls"
    tables = {measure: views.effects_of(comparison, measure, basis) for measure, _, _ in columns}
    for scenario in views.ranked(comparison):
        cells = tuple(
            change_cell(tables[measure].loc[scenario], form, interval=measure in intervals)
            for measure, _, form in columns
        )
        rows.append(Row(views.title(comparison, scenario), cells))
    return Table(caption, "Scenario", tuple(head for _, head, _ in columns), tuple(rows))


def differences(comparison: "Comparison", basis: str) -> Table:
    """What each scenario brings and costs, with the share of draws in which it is better."""
    columns: list[tuple[str, str, Form]] = [
        (views.NET, "Net contracts", words.count),
        ("contracts", "Gross contracts", words.count),
        ("partnerships_net", "Net partner­ships", words.count),
        ("rni_collaborations_net", "Net R&I collabo­rations", words.count),
        ("public_cost_eur", "Public cost", words.eur),
        ("cost_per_contract_eur", "Public cost per net contract", words.eur),
    ]
    what = "means per run over the counted calls, with the change against the base below"
    caption = f"{views.heading(comparison, basis)}: {what}"
    table = _measure_table(comparison, basis, caption, columns, {views.NET})
    if not views.others(comparison):
        return table
    better = views.effects_of(comparison, views.NET, basis)["p_better"]
    rows = [
        Row(row.head, (row.cells[0], Cell("" if row.base else words.share(better[key])), *row.cells[1:]), row.base)
        for key, row in zip((comparison.base, *views.ranked(comparison)), table.rows)
    ]
    heads = (table.heads[0] + " (90% interval)", "Better in … of draws", *table.heads[1:])
    return Table(table.caption, table.corner, heads, tuple(rows))


def split(comparison: "Comparison", basis: str) -> Table:
    """Gross contracts by what they would have been without the programme, and what was displaced."""
    columns: list[tuple[str, str, Form]] = [
        ("contracts_additional", "Additional", words.count),
        ("contracts_accelerated", "Accelerated", words.count),
        ("contracts_deadweight", "Deadweight", words.count),
        ("contracts", "Gross", words.count),
        ("contracts_displaced", "Displaced", words.count),
        (views.NET, "Net", words.count),
    ]
    table = _measure_table(comparison, basis, f"SME contracts per run at {basis}", columns, set())
    forward = views.values_of(comparison, "contracts_months_forward", basis)
    moved = views.values_of(comparison, "contracts_accelerated", basis)
    rows = []
    for key, row in zip((comparison.base, *views.ranked(comparison)), table.rows):
        months = forward[key] / moved[key] if moved[key] > 0 else math.nan
        rows.append(Row(row.head, (*row.cells, Cell(words.count(months))), row.base))
    heads = (*table.heads, "Months by which an accelerated contract comes earlier")
    return Table(table.caption, table.corner, heads, tuple(rows))


def funnel(comparison: "Comparison") -> Table:
    """Each stage from SMEs to contracts."""
    columns: list[tuple[str, str, Form]] = [
        ("smes_engaged", "SMEs engaged", words.count),
        ("smes_active", "SMEs active", words.count),
        ("contacts", "SMEs with a first foreign contact", words.count),
        ("knowledge", "SMEs with new knowledge", words.count),
        ("partnerships", "SME partner­ships", words.count),
        ("rni_collaborations", "SME R&I collabo­rations", words.count),
        ("contracts", "SME contracts", words.count),
    ]
    basis = views.main_basis(comparison)
    return _measure_table(comparison, basis, f"Per run at {basis}, gross, with the change below", columns, set())


def workings(comparison: "Comparison") -> Table:
    """How the programme itself runs: applications, projects, waiting, money left over."""

    def months(value: float) -> str:
        return f"{value:.1f} months" if math.isfinite(value) else words.MISSING

    def level(value: float) -> str:
        return f"{value:.2f}" if math.isfinite(value) else words.MISSING

    columns: list[tuple[str, str, Form]] = [
        ("applications", "Appli­cations", words.count),
        ("approvals", "Approvals", words.count),
        ("projects", "Projects", words.count),
        ("partners_unfunded", "Partners without a grant", words.count),
        ("waiting_months_mean", "Wait from close to start", months),
        ("overlap_share", "Time in which all partners work", words.share),
        ("smes_lost_waiting", "SMEs lost while waiting", words.count),
        ("offered_eur", "On offer (first phase)", words.eur),
        ("spent_eur", "Paid out", words.eur),
        ("admin_eur", "Adminis­tration", words.eur),
        ("country_concentration", "Concen­tration between countries (0-1)", level),
    ]
    basis = views.main_basis(comparison)
    return _measure_table(comparison, basis, f"Means per run at {basis}, with the change below", columns, set())


def levers(comparison: "Comparison") -> Table:
    """Every lever that a scenario changes, with what the evidence can say of its effect."""
    rows = []
    for scenario in views.ranked(comparison):
        for change in comparison.about.get(scenario, {}).get("changes", []):
            unit = change.get("unit") or ""
            was, now = (words.setting(change.get(key), unit) for key in ("base_value", "value"))
            who = f" ({words.country(change['funder'])})" if change.get("funder") else ""
            since = "" if change.get("call") is None else f"from {change['call']}"
            label = change.get("effect_evidence", "")
            ends = change.get("base_value") == change.get("value")
            what = "as in the base again" if ends else f"{was} → {now}"
            cells = (
                Cell(f"{change['label']}{who}", since), Cell(what), Cell(label),
                Cell("" if ends else change.get("why", "")),
            )  # fmt: skip
            rows.append(Row(views.title(comparison, scenario), cells))
    heads = ("Lever", "Base → scenario", "Evidence for its effect", "Why")
    caption = "What each scenario changes, and how well its effect is known"
    return Table(caption, "Scenario", heads, spanned(rows), (0, 1, 2, 3))


def spending(comparison: "Comparison") -> Table:
    """How well spending could be matched."""
    columns = ("scenario", "draws", "matched", "scale_mean", "note")
    frame = views.rows_of(comparison.spending, *columns).set_index("scenario")
    rows = []
    for key in views.ranked(comparison):
        if key in frame.index:
            row = frame.loc[key]
            cells = (
                Cell(words.share(float(row["matched"]))), Cell(f"× {float(row['scale_mean']):.2f}"),
                Cell(words.count(float(row["draws"]))), Cell(str(row["note"] or "")),
            )  # fmt: skip
        elif len(frame):
            cells = (Cell(words.MISSING), Cell(words.MISSING), Cell("0"), Cell("Spends nothing, so nothing to match."))
        else:
            continue
        rows.append(Row(views.title(comparison, key), cells))
    heads = ("Draws matched within 1%", "Mean factor on budgets", "Draws tried", "What stood in the way")
    caption = "Equal spending: budgets scaled until as much is paid out as in the base"
    return Table(caption, "Scenario", heads, tuple(rows), (3,))


def variance(comparison: "Comparison") -> Table:
    """What comparing the same worlds and luck saves."""
    frame = views.rows_of(comparison.variance, "scenario", "ratio").set_index("scenario")
    rows = [
        Row(views.title(comparison, key), (Cell(_times(float(frame.loc[key, "ratio"]))),))
        for key in views.ranked(comparison)
        if key in frame.index
    ]
    heads = ("Runs saved by pairing",)
    return Table("How many times more runs would be needed without pairing", "Scenario", heads, tuple(rows))


def _times(ratio: float) -> str:
    if math.isinf(ratio):
        return "no noise left"
    return f"{words.count(ratio)} times" if math.isfinite(ratio) else words.MISSING


def reasons(comparison: "Comparison") -> list[Table]:
    """Per scenario, what switching each mechanism off does to its effect."""
    frame = views.rows_of(comparison.reasons, "scenario", "label", "effect", "effect_without", "contribution")
    relative = views.uses_relative(comparison)
    form: Form = words.percent if relative else words.signed
    found = []
    for key in views.ranked(comparison):
        part = frame[frame["scenario"] == key]
        rows = []
        for _, row in part.iterrows():
            error = float(row["standard_error"])
            doubt = f"± {words.contribution(2 * error, relative).lstrip('+')}" if math.isfinite(error) else ""
            part_of = words.contribution(float(row["contribution"]), relative)
            cells = (Cell(form(float(row["effect"]))), Cell(form(float(row["effect_without"]))), Cell(part_of, doubt))
            rows.append(Row(words.capital(str(row["label"])), cells))
        if rows:
            heads = ("Effect on net contracts", "Effect with this switched off", "Carried by it (± 2 standard errors)")
            found.append(Table(views.title(comparison, key), "Mechanism", heads, tuple(rows)))
    return found


def hangs_on(comparison: "Comparison") -> Table:
    """The parameters that a scenario's effect goes with, and where their values come from."""
    frame = views.rows_of(comparison.hangs_on, "scenario", "label", "correlation", "evidence")
    rows = []
    for key in views.ranked(comparison):
        for _, row in frame[frame["scenario"] == key].iterrows():
            r = float(row["correlation"])
            way = "higher" if r > 0 else "lower"
            value = f"{'+' if r > 0 else words.MINUS}{abs(r):.2f}"
            cells = (
                Cell(str(row["label"])), Cell(value), Cell(f"effect is {way} where it is higher"),
                Cell(words.EVIDENCE.get(str(row["evidence"]), str(row["evidence"]))),
            )  # fmt: skip
            rows.append(Row(views.title(comparison, key), cells))
    heads = ("Parameter", "Rank correlation", "Direction", "Where its value comes from")
    return Table("Parameters that go with the effect on net contracts", "Scenario", heads, spanned(rows), (0, 2, 3))
