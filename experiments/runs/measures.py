"""Measures of many runs: those that a run counts and those derived from them."""

from collections.abc import Sequence

import numpy as np

from simulator.measures import Measure
from simulator.observe import COLUMN, MEASURES
from simulator.outcomes.tables import OUTCOMES
from simulator.parameters import F64

DERIVED: tuple[Measure, ...] = (
    Measure("public_cost_eur", "EUR", "Public cost: grants paid out and administration"),
    *(
        Measure(f"{outcome}_net", f"SME {label}", f"Net {label}: additional less displaced")
        for outcome, label in zip(
            OUTCOMES, ("learning", "partnerships", "R&I collaborations", "contracts"), strict=True
        )
    ),
    Measure("cost_per_contract_eur", "EUR per net contract", "Public cost per net contract"),
    Measure("cost_per_partnership_eur", "EUR per net partnership", "Public cost per net partnership"),
    Measure("waiting_months_mean", "months", "Mean wait from the close of the call to a funded partner's start"),
    Measure("overlap_share", "share", "Share of funded partners' time in which all partners of the project work"),
    Measure("country_concentration", "0-1", "Concentration of net contracts between countries (Herfindahl index)"),
)
# Ratios are told as total over total: a mean of ratios would be ruled by the few draws with next to no outcome.
RATIOS = {
    "cost_per_contract_eur": ("public_cost_eur", "contracts_net"),
    "cost_per_partnership_eur": ("public_cost_eur", "partnerships_net"),
    "waiting_months_mean": ("waiting_months", "partner_starts"),
    "overlap_share": ("overlap_months", "partner_months"),
}
MAIN = "contracts_net"
# Sums and differences of what is counted, so that they hold in any row.
SUMS = {
    "public_cost_eur": ("spent_eur", "admin_eur", 1.0),
    **{f"{outcome}_net": (f"{outcome}_additional", f"{outcome}_displaced", -1.0) for outcome in OUTCOMES},
}


def all_measures() -> dict[str, Measure]:
    """Return the measures of a run and those derived from them, by name."""
    return {measure.name: measure for measure in (*MEASURES, *DERIVED)}


def counted(rows: F64, names: Sequence[str]) -> F64:
    """Return some measures, (..., names), of rows (..., measures of a run)."""
    columns = [
        rows[..., COLUMN[name]]
        if name in COLUMN
        else rows[..., COLUMN[SUMS[name][0]]] + SUMS[name][2] * rows[..., COLUMN[SUMS[name][1]]]
        for name in names
    ]
    return np.stack(columns, axis=-1)


def values_of(by_country: F64) -> dict[str, F64]:
    """Return every measure, shape (...), from measures by country, (..., countries, measures)."""
    total = by_country.sum(axis=-2)
    found = {name: total[..., column] for name, column in COLUMN.items()}
    return found | _derived(found, by_country)


def _derived(total: dict[str, F64], by_country: F64) -> dict[str, F64]:
    found = {"public_cost_eur": total["spent_eur"] + total["admin_eur"]}
    for outcome in OUTCOMES:
        found[f"{outcome}_net"] = total[f"{outcome}_additional"] - total[f"{outcome}_displaced"]
    net = np.maximum(
        by_country[..., COLUMN["contracts_additional"]] - by_country[..., COLUMN["contracts_displaced"]], 0.0
    )
    found["cost_per_contract_eur"] = ratio(found["public_cost_eur"], found["contracts_net"])
    found["cost_per_partnership_eur"] = ratio(found["public_cost_eur"], found["partnerships_net"])
    found["waiting_months_mean"] = ratio(total["waiting_months"], total["partner_starts"])
    found["overlap_share"] = ratio(total["overlap_months"], total["partner_months"])
    found["country_concentration"] = ratio((net**2).sum(axis=-1), net.sum(axis=-1) ** 2)
    return found


def ratio(over: F64, under: F64) -> F64:
    """Return a quotient; NaN where there is nothing to divide by, or where a net outcome is not above zero."""
    return np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0.0)
