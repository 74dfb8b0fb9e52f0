"""The validation's tables as the report shows them: rows of text, every number as it is read."""

import math

import pandas as pd

from experiments.comparison.exhibits.tables import Cell, Row, Table
from experiments.validation.study import Validation
from scenarios import register

MISSING = "n/a"


def survey(found: Validation) -> Table:
    """The evaluation's tables, real and simulated."""
    frame = found.tables["predictive"]
    return _predictive(frame[frame["block"] == "survey"], "The survey’s shares, real and simulated", True)


def picking(found: Validation) -> Table:
    """The SMEs' answers, had coordinators picked otherwise; all else the same."""
    frame = found.tables["picking"]
    odds = sorted(frame["odds"].unique())
    rows = []
    for _, part in frame.groupby("target", sort=False):
        shown = part.sort_values("odds")
        cells = [
            Cell(_number(row["median"], True), f"{_number(row['low90'], True)} to {_number(row['high90'], True)}")
            for _, row in shown.iterrows()
        ]
        rows.append(Row(shown["label"].iloc[0], (Cell(_number(shown["real"].iloc[0], True)), *cells)))
    heads = ("real", *(f"odds {each:g}" for each in odds))
    caption = "Had coordinators picked the successful at other odds (1: no picking), in the same worlds"
    return Table(caption, "answer", heads, tuple(rows))


def calls(found: Validation) -> list[Table]:
    """The statistics of each call, and who takes part."""
    frame = found.tables["predictive"]
    frame = frame[frame["block"] == "programme"]
    who = frame["group"] != ""
    tables = [
        _predictive(part, f"The call of {year}: real and simulated", False)
        for year, part in frame[~who].groupby("call")
    ]
    if who.any():
        tables.append(_predictive(frame[who], "Who takes part, and in what: real and simulated", False))
    return tables


def _predictive(frame: pd.DataFrame, caption: str, percent: bool) -> Table:
    heads = ("real", "simulated", "90% interval", "as far out", "verdict", "used as")
    rows = []
    for _, row in frame.iterrows():
        real, median, low, high = (_number(row[name], percent) for name in ("real", "median", "low90", "high90"))
        asked = f"of {row['n']:.0f}" if row["n"] and not math.isnan(row["n"]) else ""
        cells = (
            Cell(real, asked),
            Cell(median),
            Cell(f"{low} to {high}"),
            Cell(_share(row["probability"])),
            Cell(row["verdict"], row["note"]),
            Cell("fitted" if row["fitted"] else "check only"),
        )
        rows.append(Row(row["label"], cells))
    return Table(caption, "what", heads, tuple(rows), (4, 5))


def typicality(found: Validation) -> Table:
    """Whether the real data set as a whole looks like one of the model's."""
    names = {"all": "All fitted numbers", "programme": "Statistics of the calls", "survey": "Survey"}
    rows = [
        Row(
            names.get(row["block"], row["block"]),
            (
                Cell(f"{row['numbers']:.0f}"),
                Cell(f"{row['distance']:.1f}"),
                Cell(f"{row['usual_distance']:.1f}"),
                Cell(_share(row["probability"])),
                Cell(_share(row["outside"]), f"{_share(row['usual_low'])} to {_share(row['usual_high'])} is usual"),
                Cell("typical" if row["typical"] else "not typical"),
            ),
        )
        for _, row in found.tables["typicality"].iterrows()
    ]
    heads = ("numbers", "distance", "usual distance", "replicates as far", "outside 90%", "verdict")
    return Table("The data set as a whole", "block", heads, tuple(rows), (5,))


def fit(found: Validation) -> list[Table]:
    """Coverage, recovery and emulators, in numbers."""
    tables = [_learned(found)]
    coverage, recovery, emulators = (found.table(name) for name in ("coverage", "recovery", "emulators"))
    labels = found.tables["parameters"].set_index("parameter")["label"]
    if coverage is not None and recovery is not None:
        tables.append(_known_worlds(coverage, recovery, labels))
    if emulators is not None:
        tables.append(_emulators(emulators))
    return tables


def _emulators(frame: pd.DataFrame) -> Table:
    columns = (("r2", ".2f"), ("score_mean", ".2f"), ("score_sd", ".2f"), ("posterior_score", "+.1f"))
    rows = tuple(
        Row(row["target"], tuple(Cell(f"{row[name]:{form}}") for name, form in columns)) for _, row in frame.iterrows()
    )
    heads = ("explained", "mean score", "sd of scores", "real, in sd")
    return Table("Emulators on worlds they have not seen (mean 0 and sd 1 where right)", "number", heads, rows)


def _learned(found: Validation) -> Table:
    rows = tuple(
        Row(
            row["label"],
            (
                Cell(f"{row['prior_low']:.3g} to {row['prior_high']:.3g}"),
                Cell(f"{row['median']:.3g}", f"{row['low']:.3g} to {row['high']:.3g}"),
                Cell(_share(max(0.0, row["contraction"]))),
                Cell(row["unit"]),
            ),
        )
        for _, row in found.tables["parameters"].sort_values("contraction", ascending=False).iterrows()
    )
    heads = ("prior, 90%", "posterior", "spread gone", "unit")
    return Table("What the evidence says of each fitted parameter", "parameter", heads, rows, (3,))


def _known_worlds(coverage: pd.DataFrame, recovery: pd.DataFrame, labels: pd.Series) -> Table:
    covered = coverage.pivot(index="parameter", columns="level", values="covered")
    uniform = coverage.drop_duplicates("parameter").set_index("parameter")["uniform_p"]
    rows = tuple(
        Row(
            str(labels.get(row["parameter"], row["parameter"])),
            (
                Cell(_share(covered.loc[row["parameter"], 0.5])),
                Cell(_share(covered.loc[row["parameter"], 0.9])),
                Cell(f"{uniform[row['parameter']]:.2f}"),
                Cell(f"{row['correlation']:.2f}"),
                Cell(f"{row['error']:.2f}", f"claimed {row['claimed']:.2f}"),
            ),
        )
        for _, row in recovery.iterrows()
    )
    heads = ("50% holds", "90% holds", "ranks even, p", "truth and estimate, r", "error (1: prior’s)")
    return Table("Worlds with known parameters: are they found again?", "parameter", heads, rows)


def left_out(found: Validation) -> list[Table]:
    """The call of 2015 forecast from those before: totals, then number by number."""
    totals, left = found.table("left_out_totals"), found.table("left_out")
    if totals is None or left is None:
        return []
    rows = tuple(
        Row(
            row["forecast"],
            (Cell(f"{row['relative_crps']:.3f}"), Cell(_share(row["covered50"])), Cell(_share(row["covered90"]))),
        )
        for _, row in totals.iterrows()
    )
    heads = ("mean error (CRPS over value)", "50% intervals hold", "90% intervals hold")
    single = tuple(
        Row(
            row["target"],
            (
                Cell(f"{row['value']:.4g}"),
                Cell(f"{row['median']:.4g}", f"{row['low90']:.4g} to {row['high90']:.4g}"),
                Cell(_plain(row["last"])),
                Cell(_plain(row["mean"])),
                Cell(f"{row['crps']:.1f}", f"naive {_plain(row['crps_last'])}, {_plain(row['crps_mean'])}"),
            ),
        )
        for _, row in left.iterrows()
    )
    each = ("real", "forecast, 90%", "last year’s", "mean before", "CRPS")
    return [
        Table("The call of 2015, forecast from 2013 and 2014", "forecast", heads, rows),
        Table("The same, number by number", "number", each, single),
    ]


def forecast(found: Validation) -> Table:
    """The calls of 2016 and 2017."""
    rows = tuple(
        Row(
            f"{row['label']}, {row['call']}",
            (
                Cell(f"{row['median']:.0f}"),
                Cell(f"{row['low50']:.0f} to {row['high50']:.0f}"),
                Cell(f"{row['low90']:.0f} to {row['high90']:.0f}"),
            ),
        )
        for _, row in found.tables["forecast"].iterrows()
    )
    return Table("The calls of 2016 and 2017, from their inputs", "what", ("median", "50%", "90%"), rows)


def outside(found: Validation) -> Table:
    """The model beside studies that it was not fitted to."""
    rows = []
    for _, row in found.tables["outside"].iterrows():
        known = not math.isnan(row["median"])
        values = Cell(f"{row['median']:.2f}", f"{row['low90']:.2f} to {row['high90']:.2f}") if known else Cell(MISSING)
        asked = {"positive": "above 0", "zero": "0 inside", "none": ""}.get(row["kind"])
        asked = f"{row['low']:.3g} to {row['high']:.3g}" if asked is None else asked
        verdict = row["verdict"] + ("" if row["independent"] == "yes" else " (not independent)")
        cells = (Cell(row["finding"]), Cell(row["quantity"]), values, Cell(asked), Cell(verdict, row["note"]))
        rows.append(Row(row["study"], cells))
    heads = ("what it found", "the model’s quantity", "the model", "agrees if", "verdict")
    return Table("Studies that the model was not fitted to", "study", heads, tuple(rows), (0, 1, 4))


def unfitted() -> Table:
    """The parameters that no evidence here informs and that stay at their priors, by kind of evidence."""
    names: dict[str, list[str]] = {}
    for entry in register().values():
        if entry.kind != "lever" and entry.prior != "fixed":
            names.setdefault(entry.evidence, []).append(entry.name)
    rows = tuple(Row(evidence, (Cell(str(len(which))), Cell(", ".join(which)))) for evidence, which in names.items())
    caption = "All parameters by the kind of evidence behind their prior"
    return Table(caption, "evidence", ("number", "which"), rows, (1,))


def _number(value: float, percent: bool) -> str:
    if percent:
        return f"{100.0 * value:.0f}%"
    return f"{value:,.0f}" if value == round(value) or value >= 20 else f"{value:,.1f}"


def _share(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return f"{100.0 * value:.0f}%" if value >= 0.0095 or value == 0 else f"{100.0 * value:.1f}%"


def _plain(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:.4g}"
