"""What stands below each figure, and what is read aloud in its place."""

from typing import TYPE_CHECKING, NamedTuple

from experiments.comparison import views
from experiments.comparison.exhibits.figures import STAGES, telling_reasons
from experiments.comparison.exhibits.figures_who import ELSEWHERE, country_name, country_table, lost_table
from experiments.exhibits import words

if TYPE_CHECKING:
    from experiments.comparison.frames import Frames as Comparison


class Caption(NamedTuple):
    """How to read a figure, and what it shows in words."""

    reading: str
    alt: str


def _effect(comparison: "Comparison", scenario: str, basis: str) -> str:
    row = views.effects_of(comparison, views.NET, basis).loc[scenario]
    if row["relative"] == row["relative"]:
        return words.percent(row["relative"])
    return words.signed(row["difference"])


def answer(comparison: "Comparison") -> Caption:
    """The change in net contracts."""
    parts = []
    for basis in views.bases(comparison):
        told = [f"{views.title(comparison, key)} {_effect(comparison, key, basis)}" for key in views.ranked(comparison)]
        parts.append(f"At {basis}: {'; '.join(told)}.")
    reading = (
        "Each line spans 90% of the draws, the mark is their mean. Triangles stand for scenarios that are told apart "
        "from the base; a circle means that the draws do not agree on better or worse. Equal budget: the same money on "
        "offer unless the scenario itself changes it. Equal spending: budgets scaled until the same money is paid out."
    )
    return Caption(reading, "Dots with intervals: change in net contracts against the base. " + " ".join(parts))


def split(comparison: "Comparison") -> Caption:
    """Additional, accelerated, deadweight, displaced."""
    basis = views.main_basis(comparison)
    net = views.values_of(comparison, views.NET, basis)
    order = (comparison.base, *views.ranked(comparison))
    told = [f"{views.title(comparison, key)} {words.count(net[key])}" for key in order]
    reading = (
        "A contract counts once for each of the two SMEs. Every run is held against its twin, the same world and luck "
        "without the programme: only what the twin does not have is additional, and what the twin has and this run has "
        "not is displaced."
    )
    return Caption(reading, f"Stacked bars of SME contracts per scenario. Net contracts per run: {'; '.join(told)}.")


def funnel(comparison: "Comparison") -> Caption:
    """From SMEs engaged to contracts."""
    base = [
        f"{label.replace('-' + chr(10), '').replace(chr(10), ' ')} {words.count(views.base_value(comparison, key))}"
        for key, label in STAGES
    ]
    reading = (
        "Read a row from left to right: it shows at which stage a scenario gains or loses. SMEs are counted in the "
        "first three columns, partnerships, R&I collaborations and contracts in the last three; an SME can have "
        "several."
    )
    return Caption(reading, f"Dots: change at each stage from SMEs to contracts. In the base: {'; '.join(base)}.")


def countries(comparison: "Comparison") -> Caption:
    """What each country pays and gets."""
    base = country_table(comparison).loc[comparison.base]
    told = [
        f"{country_name(str(code))} pays {words.eur(row['paid_eur'])} for {words.count(row['net'])} net contracts"
        for code, row in base.iterrows()
        if code != ELSEWHERE
    ]
    reading = (
        "Circle: base; diamond: scenario; the line between them is the change. Shown are the scenarios with the "
        "largest effects; all others stand in the tables below. A funder pays for grants, wherever they go, and for "
        "administration."
    )
    return Caption(reading, f"Paired dots by country, base and scenario. In the base: {'; '.join(told)}.")


def lost(comparison: "Comparison") -> Caption:
    """Good applications that were refused."""
    table = lost_table(comparison, [])
    total = table.sum(axis=1)
    told = [
        f"{views.title(comparison, key)} {words.count(float(total.get(key, 0.0)))}"
        for key in (comparison.base, *views.ranked(comparison))
    ]
    reading = (
        "Counted are refused applications in proposals that were above the common quality threshold when all funders' "
        "assessments are taken together. The project may still go on with its other partners."
    )
    return Caption(reading, f"Stacked bars of good applications refused, by cause. Per run: {'; '.join(told)}.")


def network(comparison: "Comparison") -> Caption:
    """Who works with whom."""
    frame = views.rows_of(comparison.network, "scenario", "country", "other", "links")
    base = frame[(frame["scenario"] == comparison.base) & (frame["country"] != frame["other"])]
    top = base.sort_values("links", ascending=False, kind="stable").head(5)
    told = [
        f"{words.country(str(row['country']))} with {words.country(str(row['other']))} {words.count(row['links'])}"
        for _, row in top.iterrows()
    ]
    reading = (
        "Countries and regions by code, each in the same place in every panel; shown are the base and the scenarios "
        "that change the network most. A place says nothing but who is linked most (inner ring)."
    )
    strongest = f" Strongest in the base: {'; '.join(told)}." if told else ""
    return Caption(reading, f"Networks of countries whose clusters are partners in projects.{strongest}")


def paths(comparison: "Comparison") -> Caption:
    """Money and contracts over time."""
    reading = (
        "The bands hold 90% of the draws and show how different plausible worlds are, not how sure a difference is: "
        "base and scenario meet the same worlds, so bands may overlap fully where the scenario is better in every "
        "draw. Above: all calls; below: contracts of the counted calls. After the last call no new money comes."
    )
    last = "; ".join(
        f"{views.title(comparison, key)} {words.count(views.values_of(comparison, 'contracts')[key])}"
        for key in (comparison.base, *views.telling(comparison, 3))
    )
    what = "Lines over years: grants paid out a month, and contracts so far."
    return Caption(reading, f"{what} Contracts at the end: {last}.")


def reasons(comparison: "Comparison") -> Caption:
    """Mechanisms switched off one at a time."""
    frame = telling_reasons(comparison)
    told = []
    for key in views.ranked(comparison):
        part = frame[frame["scenario"] == key]
        if len(part):
            told.append(f"{views.title(comparison, key)}: {part.iloc[0]['label']}")
    reading = (
        "Each mechanism is switched off in base and scenario alike, one at a time; a dot shows by how much the "
        "effect on net contracts then falls (filled) or rises (hollow). Left out: changes within two standard errors. "
        "Mechanisms act together, so the dots of a column do not sum to its effect."
    )
    return Caption(reading, f"Dots by mechanism and scenario. Largest for each: {'; '.join(told)}.")


def hangs_on(comparison: "Comparison") -> Caption:
    """Parameters that go with the effects."""
    frame = views.rows_of(comparison.hangs_on, "scenario", "label", "correlation")
    told = []
    for key in views.ranked(comparison):
        part = frame[frame["scenario"] == key]
        if len(part):
            told.append(f"{views.title(comparison, key)}: {part.iloc[0]['label']}")
    reading = (
        "Parameters differ between draws within what is thought plausible; a dot says that a scenario's effect rises "
        "or falls with a parameter. With about a hundred parameters tried, some of the weaker dots are chance."
    )
    return Caption(reading, f"Dots by parameter and scenario. Strongest for each: {'; '.join(told)}.")
