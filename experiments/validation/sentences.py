"""The answers of a validation: one sentence for each check, from its tables."""

from typing import NamedTuple

import pandas as pd

from experiments.validation.exhibits.learned import INFORMED
from experiments.validation.exhibits.looks import in_words, known_calls, share
from experiments.validation.outside import ABSENT, AGREES, DIFFERS
from experiments.validation.study import LEFT_OUT, Validation
from scenarios.errors import listed

PEOPLES = ("Danish", "Norwegian", "Swedish", "Catalan", "Lithuanian", "Icelandic", "Finnish", "German")


class Finding(NamedTuple):
    """One answer: `verdict` is "better" where the model holds, "worse" where it does not, "open" in between."""

    verdict: str
    title: str
    sentence: str


def findings(validation: Validation) -> list[Finding]:
    """Return what the checks say, the most telling first."""
    checks = (_typical, _numbers, _coverage, _learned, _left_out, _outside)
    return [finding for check in checks if (finding := check(validation)) is not None]


def _typical(validation: Validation) -> Finding:
    frame = validation.tables["typicality"].set_index("block")
    row, off = frame.loc["all"], [block for block in frame.index if not frame.loc[block, "typical"] and block != "all"]
    text = (
        f"Of data sets that the fitted model produces, {share(row['probability'])} lie as far from the others as "
        f"the real one does, taking all {row['numbers']:.0f} fitted numbers together; {share(row['outside'])} of "
        f"the real numbers are outside their 90% interval, where {share(row['usual_low'])} to "
        f"{share(row['usual_high'])} is usual."
    )
    if row["typical"] and off:
        names = {"programme": "statistics of the calls", "survey": "survey"}
        shares = [f"the {names.get(each, each)} ({share(frame.loc[each, 'probability'])} as far)" for each in off]
        text += f" Taken alone, {' and '.join(shares)} would not be typical."
        return Finding("open", "The real data look like the model’s as a whole, not in every part.", text)
    if row["typical"]:
        return Finding("better", "The real data look like the model’s.", text)
    title = "The real data are not typical of what the fitted model produces."
    return Finding("worse", title, f"{text} Something is missing from the model.")


def _numbers(validation: Validation) -> Finding:
    frame = validation.tables["predictive"]
    fitted = frame[frame["fitted"]]
    count = fitted["verdict"].value_counts()
    missed = list(fitted.loc[fitted["verdict"] == "not reproduced", "label"])
    edge = list(fitted.loc[fitted["verdict"] == "at the edge", "label"])
    text = f"{count.get('typical', 0)} of {len(fitted)} fitted numbers are typical, {len(edge)} at the edge"
    text += f" ({_these(edge)})" if edge else ""
    text += f"; not reproduced: {_these(missed)}." if missed else "; none is out of reach."
    verdict = "worse" if len(missed) > 0.05 * len(fitted) else "better"
    return Finding(verdict, "Number by number.", text)


def _coverage(validation: Validation) -> Finding | None:
    frame = validation.table("coverage")
    if frame is None:
        return None
    by_level = frame.groupby("level")["covered"].mean()
    off = frame[~frame["fits"]]
    text = (
        f"In {frame['replicates'].max()} worlds with known parameters, 90% intervals held the truth in "
        f"{share(by_level[0.9])} and 50% intervals in {share(by_level[0.5])} of cases; "
        f"{len(off)} of {len(frame)} kinds of interval are outside the band in which 95% of right ones lie."
    )
    sound = len(off) <= 0.15 * len(frame)
    title = "Intervals are as wide as they claim." if sound else "Some intervals are not as wide as they claim."
    return Finding("better" if sound else "worse", title, text)


def _learned(validation: Validation) -> Finding:
    frame = validation.tables["parameters"].sort_values("contraction", ascending=False)
    informed = frame[frame["contraction"] >= INFORMED]
    rest = [inside(label) for label in frame.loc[frame["contraction"] < INFORMED, "label"]]
    most = listed(inside(label) for label in informed["label"][:5])
    text = f"The evidence informs {len(informed)} of {len(frame)} fitted parameters, most of all {most}."
    text += f" As good as unidentified: {listed(rest, 20)}." if rest else ""
    text += " All others of the register are not fitted and stay at their priors."
    return Finding("open", "What was learned.", text)


def _left_out(validation: Validation) -> Finding | None:
    frame = validation.table("left_out_totals")
    if frame is None:
        return None
    rows = frame.set_index("forecast")
    before = in_words([call for call in known_calls(validation) if call < LEFT_OUT])
    model = rows.loc["model"]
    naive = rows.drop(index="model")["relative_crps"]
    better = bool(model["relative_crps"] < naive.min())
    text = (
        f"Fitted to {before} alone, it forecasts {model['statistics']:.0f} statistics of {LEFT_OUT} with a mean error "
        f"(CRPS over value) of {model['relative_crps']:.2f}; {naive.idxmin()} gives {naive.min():.2f}. Its 90% "
        f"intervals hold {share(model['covered90'])} of them, its 50% intervals {share(model['covered50'])}. "
        "One call is a weak test."
    )
    title = "A call ahead, it beats the naive forecasts." if better else "A call ahead, a naive forecast does better."
    return Finding("better" if better else "worse", title, text)


def _outside(validation: Validation) -> Finding:
    frame = validation.tables["outside"]
    compared = frame[frame["verdict"] != ABSENT]
    differs = frame[frame["verdict"] == DIFFERS]
    text = (
        f"It agrees with {(compared['verdict'] == AGREES).sum()} of {len(compared)} studies that it was not fitted to"
    )
    text += f"; not with: {'; '.join(_one(row) for _, row in differs.iterrows())}." if len(differs) else "."
    return Finding("open" if len(differs) else "better", "Beside other studies.", text)


def _one(row: pd.Series) -> str:
    interval = f"{row['low90']:.2f} to {row['high90']:.2f}"
    return f"{row['study']} ({row['finding']}; the model: {row['median']:.2f}, {interval})"


def _these(labels: list[str], most: int = 6) -> str:
    """Return labels, which hold commas, in one line."""
    tail = f"; and {len(labels) - most} more" if len(labels) > most else ""
    return "; ".join(map(inside, labels[:most])) + tail


def inside(label: str) -> str:
    """Return a label as it stands inside a sentence: SMEs, R&I and names of peoples stay as they are."""
    if label.startswith(PEOPLES) or not (label[1:2].islower() or label[1:2] == " "):
        return label
    return label[:1].lower() + label[1:]
