"""The world: countries, clusters and funders as the arrays of `simulator.parameters.World`."""

import math
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from scenarios.errors import Fault, describe, refuse
from scenarios.history import Programme
from simulator.parameters import World

MOST_SMES = 1_000_000_000
MOST_CLUSTERS = 30_000


def world(programme: Programme, smes: int | None = None, clusters: int | None = None) -> World:
    """Return the world of a programme, in canonical order.

    Parameters
    ----------
    programme : Programme
    smes : int, optional
        Scale all clusters so that they have nearly this many members in all. A cluster never has fewer than the
        programme's minimum.
    clusters : int, optional
        Clusters in all, shared among the countries as in the programme, whose clusters come first. Without it, there
        are the programme's own, and more where there are more SMEs (`clusters_for`).

    Returns
    -------
    World
        Its arrays belong to the caller.

    Raises
    ------
    InputError
        For a total that is not a whole number or out of range.
    """
    return World(**{name: array.copy() for name, array in _world(programme, smes, clusters)._asdict().items()})


@lru_cache(maxsize=16)
def _world(programme: Programme, smes: int | None, clusters: int | None) -> World:
    if clusters is None and smes is not None:
        clusters = clusters_for(programme, smes)
    if clusters is not None:
        programme = _with_clusters(programme, clusters)
    codes = list(programme.countries)
    countries = list(programme.countries.values())
    funder_country = [codes.index(funder.country) for funder in programme.funders.values()]
    row_of = {funder.country: row for row, funder in enumerate(programme.funders.values())}
    sectors = list(programme.sectors.values())
    total_share = math.fsum(sector.share for sector in sectors)
    return World(
        country_key=np.array([country_key(code) for code in codes], dtype=np.uint64),
        country_nation=_numbered(country.nation for country in countries),
        country_language=_numbered(country.language for country in countries),
        country_bsr=_integers(country.bsr for country in countries),
        country_attends=_integers(country.attends for country in countries),
        country_funder=_integers(row_of.get(code, -1) for code in codes),
        cluster_country=_integers(n for n, country in enumerate(countries) for _ in range(country.clusters)),
        cluster_rank=_integers(rank for country in countries for rank in range(country.clusters)),
        cluster_members=_members(programme, smes),
        funder_country=_integers(funder_country),
        sector_share=np.array([sector.share / total_share for sector in sectors], dtype=np.float64),
        sector_family=_numbered(sector.family for sector in sectors),
    )


def clusters_for(programme: Programme, smes: int) -> int | None:
    """Return the number of clusters in a world of `smes` SMEs; None for the programme's own clusters.

    A world of up to the programme's size has the programme's clusters. Beyond it, their number is a power of the
    number of SMEs, through the programme's size and that of all Europe.
    """
    own, usual = sum(country.clusters for country in programme.countries.values()), int(_members(programme, None).sum())
    europe = programme.europe
    _check_total(smes, programme.members.minimum * own)
    if smes <= usual or own == 0 or europe.smes <= usual or europe.clusters <= own:
        return None
    power: float = math.log(europe.clusters / own) / math.log(europe.smes / usual)
    return min(MOST_CLUSTERS, round(own * float((smes / usual) ** power)))


def _with_clusters(programme: Programme, clusters: int) -> Programme:
    """Return the programme with `clusters` clusters, shared by largest remainder; mean members stay."""
    before = {code: country.clusters for code, country in programme.countries.items()}
    _check_clusters(clusters, sum(count > 0 for count in before.values()))
    exact = {code: clusters * count / sum(before.values()) for code, count in before.items()}
    after = {code: max(1, math.floor(part)) if part > 0 else 0 for code, part in exact.items()}
    while sum(after.values()) != clusters:
        step = 1 if sum(after.values()) < clusters else -1
        candidates = [code for code in after if exact[code] > 0 and after[code] + step >= 1]
        after[max(candidates, key=lambda code: step * (exact[code] - after[code]))] += step
    countries = {
        code: country.model_copy(update={"clusters": after[code]}) for code, country in programme.countries.items()
    }
    return replace(programme, countries=countries)


def _check_clusters(clusters: object, fewest: int) -> None:
    allowed = f"a whole number from {fewest} to {MOST_CLUSTERS}"
    if isinstance(clusters, bool) or not isinstance(clusters, int | np.integer):
        raise refuse("number of clusters", [Fault("", f"{describe(clusters)} does not fit", allowed)])
    if not fewest <= clusters <= MOST_CLUSTERS:
        raise refuse("number of clusters", [Fault("", f"{describe(int(clusters))} is out of range", allowed)])


def country_key(code: str) -> int:
    """Return a country's identity: its code of up to 8 ASCII letters as a big-endian number ("DK" is 0x444B)."""
    return int.from_bytes(code.encode("ascii"), "big")


def member_sizes(clusters: int, members_mean: float, log_sd: float) -> npt.NDArray[np.float64]:
    """Return the sizes of a country's clusters, largest first: lognormal quantiles by rank.

    Parameters
    ----------
    clusters : int
    members_mean : float
        Mean members of a cluster.
    log_sd : float
        Standard deviation of the logarithm.

    Returns
    -------
    ndarray of float64, shape (clusters,)
        Members, not rounded.
    """
    normal = NormalDist()
    weights = [math.exp(log_sd * normal.inv_cdf(1 - (rank + 0.5) / clusters)) for rank in range(clusters)]
    scale = members_mean * clusters / math.fsum(weights) if weights else 0.0
    return np.array([weight * scale for weight in weights], dtype=np.float64)


def _members(programme: Programme, smes: int | None) -> npt.NDArray[np.int64]:
    log_sd, minimum = programme.members.log_sd, programme.members.minimum
    countries = programme.countries.values()
    by_country = [member_sizes(country.clusters, country.members_mean, log_sd) for country in countries]
    sizes = np.concatenate(by_country) if by_country else np.empty(0)
    if smes is None:
        return _rounded(sizes, minimum)
    _check_total(smes, minimum * len(sizes))
    low, high = 0.0, 2.0 * smes / max(float(sizes.min(initial=np.inf)), 1e-9)
    for _ in range(80):  # the total grows with the factor, so halving finds it
        middle = (low + high) / 2
        low, high = (middle, high) if _rounded(sizes * middle, minimum).sum() <= smes else (low, middle)
    return _rounded(sizes * low, minimum)


def _rounded(sizes: npt.NDArray[np.float64], minimum: int) -> npt.NDArray[np.int64]:
    whole: npt.NDArray[np.int64] = np.maximum(np.rint(sizes), minimum).astype(np.int64)
    return whole


def _check_total(smes: object, fewest: int) -> None:
    allowed = f"a whole number from {fewest} to {MOST_SMES}"
    if isinstance(smes, bool) or not isinstance(smes, int | np.integer):
        raise refuse("number of SMEs", [Fault("", f"{describe(smes)} does not fit", allowed)])
    if not fewest <= smes <= MOST_SMES:
        raise refuse("number of SMEs", [Fault("", f"{describe(int(smes))} is out of range", allowed)])


def _numbered(names: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return for each name its index in the sorted list of distinct names."""
    items = list(names)
    index = {name: n for n, name in enumerate(sorted(set(items)))}
    return _integers(index[name] for name in items)


def _integers(values: Iterable[int]) -> npt.NDArray[np.int64]:
    return np.array(list(values), dtype=np.int64)
