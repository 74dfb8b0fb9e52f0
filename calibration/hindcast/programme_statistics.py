"""What the programme's own statistics say about a call, counted in a finished run as the programme counts them."""

import numpy as np
import numpy.typing as npt

from scenarios import Resolved
from simulator.instruments.calls.events import CallEvent
from simulator.instruments.calls.tables import FUNDED, NO_FUNDER, NOT_STARTED, REFUSED
from simulator.state import State

I64 = npt.NDArray[np.int64]


def programme_statistics(state: State, inputs: Resolved, call: int) -> dict[str, float]:
    """Return the statistics of a call.

    A project is a consortium with at least one grant; a partner that never starts belongs to it. The programme counted
    in this way when it approved projects.

    Parameters
    ----------
    state : State
        Of a finished run.
    inputs : Resolved
        Of this run.
    call : int
        The row of the call.

    Returns
    -------
    dict of str to float
        By name of measure; NaN where nothing can be counted.
    """
    partners = state.rows("partners")
    calls = state.projects.call[: state.used.projects]
    of_call = calls[partners.project] == call
    money = partners.money
    granted = of_call & ((money == FUNDED) | (money == NOT_STARTED))
    grants = np.bincount(partners.project[granted], minlength=len(calls))
    inside = of_call & (grants[partners.project] > 0)
    home = state.clusters.country[partners.cluster]
    return {
        "applications": float(np.count_nonzero(granted | (of_call & (money == REFUSED)))),
        "approvals": float(np.count_nonzero(granted)),
        "not_started": float(np.count_nonzero(granted & (money == NOT_STARTED))),
        "slots_elsewhere": float(np.count_nonzero(inside & (money == NO_FUNDER))),
        "meetings": _meetings(state, inputs, call),
        **_projects(grants, np.bincount(partners.project[inside], minlength=len(calls))),
        **_clusters(state, inputs, partners.cluster[inside], partners.cluster[granted]),
        **_by_country("grants", inputs, home[granted]),
        **_by_country("slots", inputs, home[inside]),
        **_smes(partners.project[inside], partners.engaged[inside]),
    }


def _meetings(state: State, inputs: Resolved, call: int) -> float:
    log = state.rows("log")
    at_event = log.month == inputs.rules.calls.event_month[call]
    return float(np.count_nonzero(log.kind[at_event] == CallEvent.MEETING))


def _projects(grants: I64, partners: I64) -> dict[str, float]:
    """Return projects by number of grants and of partners; no two partners of a project are of one nation."""
    funded = partners[grants > 0]
    by_partners = {f"projects_{n}_countries": float(np.count_nonzero(funded == n)) for n in (2, 3, 4)}
    return {
        "projects": float(len(funded)),
        "projects_one_grant": float(np.count_nonzero(grants == 1)),
        "projects_two_grants": float(np.count_nonzero(grants >= 2)),
        **by_partners,
        "projects_5_countries": float(np.count_nonzero(funded >= 5)),
    }


def _clusters(state: State, inputs: Resolved, inside: I64, granted: I64) -> dict[str, float]:
    """Return the clusters in projects, each counted once, and where they are from."""
    projects = np.bincount(inside, minlength=len(state.clusters))
    in_project = projects > 0
    bsr = inputs.world.country_bsr[state.clusters.country[in_project]]
    return {
        "clusters": float(np.count_nonzero(in_project)),
        "clusters_in_two_projects": float(np.count_nonzero(projects >= 2)),
        "clusters_with_two_grants": float(np.count_nonzero(np.bincount(granted, minlength=1) >= 2)),
        "countries": float(len(np.unique(state.clusters.nation[in_project]))),
        "clusters_outside_bsr": float(np.count_nonzero(bsr == 0)),
    }


def _by_country(what: str, inputs: Resolved, home: I64) -> dict[str, float]:
    """Return the numbers of funding countries, from the country of each item."""
    number = np.bincount(home, minlength=len(inputs.country_codes))
    codes = [inputs.country_codes[country] for country in inputs.world.funder_country]
    return {f"{what}_{code}": float(number[inputs.country_codes.index(code)]) for code in codes}


def _smes(project: I64, engaged: I64) -> dict[str, float]:
    """Return the SMEs per project that engaged any."""
    sums = np.bincount(project, weights=engaged).astype(np.float64)
    number = sums[sums > 0]
    if not len(number):
        return {"smes_engaged": np.nan, "smes_median": np.nan, "smes_upper_quartile": np.nan}
    return {
        "smes_engaged": float(number.sum()),
        "smes_median": float(np.median(number)),
        "smes_upper_quartile": float(np.quantile(number, 0.75)),
    }
