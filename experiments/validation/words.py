"""The validation's answers, one sentence each, said from its tables."""

from typing import NamedTuple

import pandas as pd

from experiments.validation.outside import ABSENT, AGREES, DIFFERS
from experiments.validation.study import Validation
from scenarios.errors import listed

PEOPLES = ("Danish", "Norwegian", "Swedish", "Catalan", "Lithuanian", "Icelandic", "Finnish", "German")
CONTRACTION = 0.1  # share of the prior's variance that must go before a parameter counts as informed


class Finding(NamedTuple):
    """One answer: `verdict` is "better" where the model holds, "worse" where it does not, "open" in between."""

    verdict: str
    title: str
    sentence: str


def findings(found: Validation) -> list[Finding]:
    """What the checks say, the most telling first."""
    told = [_typical(found), _numbers(found), _coverage(found), _learned(found), _left_out(found), _outside(found)]
    return [finding for finding in told if finding is not None]


def _typical(found: Validation) -> Finding:
    frame = found.tables["typicality"].set_index("block")
    row, off = frame.loc["all"], [block for block in frame.index if not frame.loc[block, "typical"] and block != "all"]
    told = (
        f"Of data sets that the fitted model produces, {_percent(row['probability'])} lie as far from the others as "
        f"the real one does, taking all {row['numbers']:.0f} fitted numbers together; {_percent(row['outside'])} of "
        f"the real numbers are outside their 90% interval, where {_percent(row['usual_low'])} to "
        f"{_percent(row['usual_high'])} is usual."
    )
    if row["typical"] and off:
        names = {"programme": "statistics of the calls", "survey": "survey"}
        shares = [f"the {names.get(each, each)} ({_percent(frame.loc[each, 'probability'])} as far)" for each in off]
        told += f" Taken alone, {' and '.join(shares)} would not be typical."
        return Finding("open", "The real data look like the model’s as a whole, not in every part.", told)
    if row["typical"]:
        return Finding("better", "The real data look like the model’s.", told)
    title = "The real data are not typical of what the fitted model produces."
    return Finding("worse", title, f"{told} Something is missing from the model.")


def _numbers(found: Validation) -> Finding:
    frame = found.tables["predictive"]
    fitted = frame[frame["fitted"]]
    count = fitted["verdict"].value_counts()
    missed = list(fitted.loc[fitted["verdict"] == "not reproduced", "label"])
    edge = list(fitted.loc[fitted["verdict"] == "at the edge", "label"])
    told = f"{count.get('typical', 0)} of {len(fitted)} fitted numbers are typical, {len(edge)} at the edge"
    told += f" ({_these(edge)})" if edge else ""
    told += f"; not reproduced: {_these(missed)}." if missed else "; none is out of reach."
    verdict = "worse" if len(missed) > 0.05 * len(fitted) else "better"
    return Finding(verdict, "Number by number.", told)


def _coverage(found: Validation) -> Finding | None:
    frame = found.table("coverage")
    if frame is None:
        return None
    by_level = frame.groupby("level")["covered"].mean()
    off = frame[~frame["fits"]]
    told = (
        f"In {frame['replicates'].max()} worlds with known parameters, 90% intervals held the truth in "
        f"{_percent(by_level[0.9])} and 50% intervals in {_percent(by_level[0.5])} of cases; "
        f"{len(off)} of {len(frame)} kinds of interval are outside the band in which 95% of right ones lie."
    )
    sound = len(off) <= 0.15 * len(frame)
    title = "Intervals are as wide as they claim." if sound else "Some intervals are not as wide as they claim."
    return Finding("better" if sound else "worse", title, told)


def _learned(found: Validation) -> Finding:
    frame = found.tables["parameters"].sort_values("contraction", ascending=False)
    informed = frame[frame["contraction"] >= CONTRACTION]
    rest = [inside(label) for label in frame.loc[frame["contraction"] < CONTRACTION, "label"]]
    most = listed(inside(label) for label in informed["label"][:5])
    told = f"The evidence informs {len(informed)} of {len(frame)} fitted parameters, most of all {most}."
    told += f" As good as unidentified: {listed(rest, 20)}." if rest else ""
    told += " All others of the register are not fitted and stay at their priors."
    return Finding("open", "What was learned.", told)


def _left_out(found: Validation) -> Finding | None:
    frame = found.table("left_out_totals")
    if frame is None:
        return None
    rows = frame.set_index("forecast")
    model = rows.loc["model"]
    naive = rows.drop(index="model")["relative_crps"]
    better = bool(model["relative_crps"] < naive.min())
    told = (
        f"Fitted to 2013 and 2014 alone, it forecasts {model['statistics']:.0f} statistics of 2015 with a mean error "
        f"(CRPS over value) of {model['relative_crps']:.2f}; {naive.idxmin()} gives {naive.min():.2f}. Its 90% "
        f"intervals hold {_percent(model['covered90'])} of them, its 50% intervals {_percent(model['covered50'])}. "
        "One call is a weak test."
    )
    title = "A call ahead, it beats the naive forecasts." if better else "A call ahead, a naive forecast does better."
    return Finding("better" if better else "worse", title, told)


def _outside(found: Validation) -> Finding:
    frame = found.tables["outside"]
    held = frame[frame["verdict"] != ABSENT]
    differs = frame[frame["verdict"] == DIFFERS]
    told = f"It agrees with {(held['verdict'] == AGREES).sum()} of {len(held)} studies that it was not fitted to"
    told += f"; not with: {'; '.join(_one(row) for _, row in differs.iterrows())}." if len(differs) else "."
    return Finding("open" if len(differs) else "better", "Beside other studies.", told)


def _one(row: pd.Series) -> str:
    interval = f"{row['low90']:.2f} to {row['high90']:.2f}"
    return f"{row['study']} ({row['finding']}; the model: {row['median']:.2f}, {interval})"


def _these(labels: list[str], most: int = 6) -> str:
    """Labels, which hold commas, in one line."""
    tail = f"; and {len(labels) - most} more" if len(labels) > most else ""
    return "; ".join(map(inside, labels[:most])) + tail


def inside(label: str) -> str:
    """A label as it stands inside a sentence: SMEs, R&I and names of peoples stay as they are."""
    if label.startswith(PEOPLES) or not (label[1:2].islower() or label[1:2] == " "):
        return label
    return label[:1].lower() + label[1:]


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f}%" if share >= 0.0095 or share == 0 else f"{100.0 * share:.1f}%"
