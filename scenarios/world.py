"""Who there is: the `World` that follows from the programme's countries, sectors and funders."""

import math
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from scenarios.errors import Fault, refuse, told
from scenarios.history import Programme
from simulator.parameters import World

MOST_SMES = 1_000_000_000
MOST_CLUSTERS = 30_000


def world(programme: Programme, smes: int | None = None, clusters: int | None = None) -> World:
    """Return who there is, in canonical order; `smes` scales all clusters to that total, nearly.

    `clusters` is how many clusters there are in all: each country has its part of them as in the programme, the
    first of which are the programme's own. Unless it is given, there are the programme's own, and more where there
    are more SMEs (`clusters_for`). A cluster never has fewer members than the programme's minimum. The arrays are
    the caller's own. Raises InputError for a total out of reach.
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
    """Return how many clusters a world of so many SMEs has; None: the programme's own, as up to its own size.

    Beyond it a power of the number of SMEs, through the programme's size and that of the whole of Europe.
    """
    own, usual = sum(country.clusters for country in programme.countries.values()), int(_members(programme, None).sum())
    europe = programme.europe
    _check_total(smes, programme.members.minimum * own)
    if smes <= usual or own == 0 or europe.smes <= usual or europe.clusters <= own:
        return None
    power = math.log(europe.clusters / own) / math.log(europe.smes / usual)
    return min(MOST_CLUSTERS, round(own * (smes / usual) ** power))


def _with_clusters(programme: Programme, clusters: int) -> Programme:
    """The programme with so many clusters in all: parts by largest remainder, members a cluster as they were."""
    was = {code: country.clusters for code, country in programme.countries.items()}
    _check_clusters(clusters, sum(count > 0 for count in was.values()))
    exact = {code: clusters * count / sum(was.values()) for code, count in was.items()}
    now = {code: max(1, math.floor(part)) if part > 0 else 0 for code, part in exact.items()}
    while sum(now.values()) != clusters:
        step = 1 if sum(now.values()) < clusters else -1
        can = [code for code in now if exact[code] > 0 and now[code] + step >= 1]
        now[max(can, key=lambda code: step * (exact[code] - now[code]))] += step
    changed = {
        code: country.model_copy(update={"clusters": now[code]}) for code, country in programme.countries.items()
    }
    return replace(programme, countries=changed)


def _check_clusters(clusters: object, fewest: int) -> None:
    allowed = f"a whole number from {fewest} to {MOST_CLUSTERS}"
    if isinstance(clusters, bool) or not isinstance(clusters, int | np.integer):
        raise refuse("number of clusters", [Fault("", f"{told(clusters)} does not fit", allowed)])
    if not fewest <= clusters <= MOST_CLUSTERS:
        raise refuse("number of clusters", [Fault("", f"{told(int(clusters))} is out of range", allowed)])


def country_key(code: str) -> int:
    """Return a country's identity: its up to 8 ASCII letters read as a big-endian number ("DK" is 0x444B)."""
    return int.from_bytes(code.encode("ascii"), "big")


def member_sizes(clusters: int, members_mean: float, log_sd: float) -> npt.NDArray[np.float64]:
    """Return unrounded cluster sizes, largest first: lognormal quantiles by rank with the given mean."""
    normal = NormalDist()
    weights = [math.exp(log_sd * normal.inv_cdf(1 - (rank + 0.5) / clusters)) for rank in range(clusters)]
    scale = members_mean * clusters / math.fsum(weights) if weights else 0.0
    return np.array([weight * scale for weight in weights], dtype=np.float64)


def _members(programme: Programme, smes: int | None) -> npt.NDArray[np.int64]:
    log_sd, minimum = programme.members.log_sd, programme.members.minimum
    countries = programme.countries.values()
    each = [member_sizes(country.clusters, country.members_mean, log_sd) for country in countries]
    sizes = np.concatenate(each) if each else np.empty(0)
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
        raise refuse("number of SMEs", [Fault("", f"{told(smes)} does not fit", allowed)])
    if not fewest <= smes <= MOST_SMES:
        raise refuse("number of SMEs", [Fault("", f"{told(int(smes))} is out of range", allowed)])


def _numbered(names: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return each name's place in the sorted list of distinct names."""
    every = list(names)
    place = {name: n for n, name in enumerate(sorted(set(every)))}
    return _integers(place[name] for name in every)


def _integers(values: Iterable[int]) -> npt.NDArray[np.int64]:
    return np.array(list(values), dtype=np.int64)
