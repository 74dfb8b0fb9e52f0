"""Small worlds, runs of them, and what two runs are compared by; shared by the tests of the simulator."""

import hashlib
from dataclasses import replace
from functools import cache

import numpy as np

import scenarios
from scenarios import Programme, Resolved
from simulator.ensemble import own_events
from simulator.schedule import run
from simulator.state import EVENTS, KINDS_OF_EVENTS, Capacity, State, new_state, tabulate

KIND = {name: number for number, name in enumerate(EVENTS)}


# Worlds


@cache
def shipped(name: str = "baseline", **more: float) -> Resolved:
    """A shipped scenario at central parameters, or with some parameters at other values."""
    return scenarios.load(name).resolve(more)


@cache
def few_countries(codes: tuple[str, ...] = ("DK", "SE", "NO", "LT", "PL", "DE-BB"), clusters: int = 3) -> Programme:
    """The programme as it was with a few countries only, each with a few clusters of about ten SMEs."""
    was = scenarios.programme()
    small = {"clusters": clusters, "members_mean": 10.0}
    countries = {code: was.countries[code].model_copy(update=small) for code in sorted(codes)}
    funders = {code: funder for code, funder in was.funders.items() if funder.country in codes}
    calls = {
        year: call.model_copy(update={"funders": [code for code in call.funders if code in funders]})
        for year, call in was.calls.items()
    }
    return replace(was, countries=countries, funders=funders, calls=calls)


def tiny(name: str = "baseline", last_call: int = 2014) -> Resolved:
    """A few calls in a lively world of 18 clusters that is small enough to be run uncompiled."""
    lively = {"idea_rate": 1.0, "h_contact": 0.3, "h_rni": 0.05, "h_contract": 0.05, "own_h_contract": 0.01}
    few = few_countries()
    return scenarios.load(name).resolve(lively, last_call=last_call, horizon_months=24, programme_as_it_was=few)


def never_held(resolved: Resolved) -> Resolved:
    """The same world without the programme from the first call on: what a twin is."""
    return replace(
        resolved,
        rules=resolved.rules._replace(
            calls=resolved.rules.calls._replace(held=np.zeros_like(resolved.rules.calls.held))
        ),
    )


# Runs


def simulate(
    resolved: Resolved,
    seed: int = 1,
    stops: tuple[int, ...] = (),
    *,
    last: int | None = None,
    room: int | None = None,
    capacity: Capacity | None = None,
) -> State:
    """A run from month 0 to before `last`, in one piece or with `stops`, in a room of `room` months."""
    last = resolved.months if last is None else last
    inputs = tabulate(resolved.parameters, resolved.rules, resolved.world)
    capacity = capacity or Capacity()
    while True:
        state = new_state(resolved.world, resolved.rules, room or resolved.months, capacity)
        for start, stop in zip((0, *stops), (*stops, last)):
            run(start, stop, np.int64(seed), *inputs, state)
        if state.used.too_small == 0:
            return state
        capacity = capacity.doubled()


def tables(state: State) -> dict[str, np.ndarray]:
    """All that the run wrote: tables cut to the rows in use."""
    return {name: state.rows(name) for name in State._fields}


def columns(state: State) -> dict[str, np.ndarray]:
    """Every column of every table by name, without what lies between the columns in memory."""
    found = {}
    for name, table in tables(state).items():
        for field in table.dtype.names or ("",):
            found[f"{name}.{field}".rstrip(".")] = table[field] if field else table
    return found


def fingerprint(state: State) -> str:
    """One word for every bit of a run."""
    seal = hashlib.sha256()
    for name, column in columns(state).items():
        seal.update(f"{name} {column.dtype} {column.shape}".encode())
        seal.update(np.ascontiguousarray(column).tobytes())
    return seal.hexdigest()


def differing(one: State, other: State) -> list[str]:
    """Names of the columns in which two runs differ in any bit."""
    mine, theirs = columns(one), columns(other)
    return [
        name
        for name in mine
        if mine[name].shape != theirs[name].shape or mine[name].tobytes() != theirs[name].tobytes()
    ]


# Events


def log_of(state: State) -> np.ndarray:
    """The event log, rows in use only."""
    return state.rows("log")


def events_of(state: State, kind: str) -> np.ndarray:
    """The events of one kind."""
    log = log_of(state)
    return log[log.kind == KIND[kind]]


def own_events_of(resolved: Resolved, state: State, kind: str, seed: int = 1, last: int | None = None) -> np.ndarray:
    """What SMEs reach on their own paths: before the programme touches them, which no log tells, and after."""
    before = own_events(resolved, seed, state, last)
    return np.concatenate([before[before.kind == KIND[kind]], events_of(state, kind)]).view(np.recarray)


def told_by_identity(resolved: Resolved, state: State) -> np.ndarray:
    """The event log with identities in place of rows, so that worlds of different size compare."""
    log = log_of(state)
    types = {"month": "i8", "kind": "i8", "who": "u8", "whom": "u8", "project": "u8", "amount": "f8"}
    told = np.zeros(len(log), list(types.items()))
    funders = resolved.world.country_key[resolved.world.funder_country]
    clusters, smes = state.clusters.identity, state.smes.identity
    who, whom = (np.array([str(getattr(kind, side)) for kind in KINDS_OF_EVENTS])[log.kind] for side in ("who", "whom"))
    told["month"], told["kind"], told["amount"] = log.month, log.kind, log.amount
    told["who"] = np.where(who == "cluster", clusters[log.who % len(clusters)], smes[log.who % len(smes)])
    by_party = {"cluster": clusters, "SME": smes, "funder": funders}
    for party, identity in by_party.items():
        chosen = (whom == party) & (log.whom >= 0)
        told["whom"][chosen] = identity[log.whom[chosen]]
    projects = state.projects.identity
    told["project"] = np.where(log.project >= 0, projects[log.project], 0)
    return told
