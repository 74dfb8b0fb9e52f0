"""Which countries' clusters work together."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.comparison import views
from experiments.comparison.frames import Frames
from experiments.comparison.views import Lineup
from experiments.exhibits import words
from experiments.exhibits.exhibit import Caption, Exhibit
from experiments.exhibits.style import BLUE, INK, PALE, QUIET, sheet
from simulator.parameters import F64

FEW = 0.05  # links per run, below which a line is left out
DRAWN = 3  # scenarios beside the base
NAMED = 5  # strongest links in the alternative text

Places = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Network:
    """Links between countries: pairs of partners in projects, mean per run.

    Attributes
    ----------
    lineup : Lineup
        The scenarios.
    links : mapping of str to DataFrame
        By scenario: columns country, other and links, the strongest last.
    places : mapping of str to tuple of float
        Where each country stands in every panel.
    """

    lineup: Lineup
    links: Mapping[str, pd.DataFrame]
    places: Places

    @property
    def most(self) -> float:
        """The strongest link of all."""
        return max(float(links["links"].max()) for links in self.links.values() if len(links))


def data(frames: Frames) -> Network | None:
    """Return the links in the base and the scenarios that change them most; None if there is no project."""
    across = frames.network[frames.network["country"] != frames.network["other"]]
    chosen = _chosen(frames, across)
    drawn = across[across["scenario"].isin(chosen) & (across["links"] >= FEW)]
    if drawn.empty:
        return None
    places = _places(tuple(sorted(zip(drawn["country"].astype(str), drawn["other"].astype(str), drawn["links"]))))
    links = {key: drawn[drawn["scenario"] == key].sort_values("links", kind="stable") for key in chosen}
    return Network(views.lineup(frames), links, places)


def _chosen(frames: Frames, across: pd.DataFrame) -> list[str]:
    """Return the base and the scenarios that change its network most, of those that have any links."""
    links = across.pivot_table(index="scenario", columns=["country", "other"], values="links", fill_value=0.0)
    if links.empty:
        return []
    base = links.loc[frames.base] if frames.base in links.index else 0.0
    change = (links - base).abs().sum(axis=1).drop(frames.base, errors="ignore")
    chosen = {*change.sort_values(ascending=False, kind="stable").index[:DRAWN], frames.base}
    return [key for key in (frames.base, *views.ranked(frames)) if key in chosen and key in links.index]


@cache
def _places(links: tuple[tuple[str, str, float], ...]) -> Places:
    """Place countries on two rings: the most linked inside, the others outside in an order that keeps links short."""
    graph: nx.Graph = nx.Graph()
    for a, b, weight in links:
        old = graph.get_edge_data(a, b, {"weight": 0.0})["weight"]
        graph.add_edge(a, b, weight=old + weight)
    start = nx.spring_layout(graph, weight="weight", seed=1, iterations=200, k=1.2 / max(1, len(graph)) ** 0.5)
    strength = dict(graph.degree(weight="weight"))
    inside = sorted(strength, key=lambda code: (-strength[code], code))[: max(1, min(8, len(strength) // 2))]
    outside = [code for code in sorted(strength) if code not in inside]
    return _ring(inside, start, 0.48) | _ring(outside, start, 1.0)


def _ring(codes: list[str], start: Mapping[str, F64], radius: float) -> dict[str, tuple[float, float]]:
    if len(codes) == 1:
        return {codes[0]: (0.0, 0.0)}
    angle = {code: float(np.arctan2(start[code][1], start[code][0])) for code in codes}
    order = sorted(codes, key=lambda code: (angle[code], code))
    first = angle[order[0]]
    turn = [first + 2 * np.pi * place / len(order) for place in range(len(order))]
    return {code: (float(radius * np.cos(t)), float(radius * np.sin(t))) for code, t in zip(order, turn)}


def draw(shown: Network) -> Figure:
    """Draw a network for each scenario, every country in the same place throughout."""
    columns = min(2, len(shown.links))
    rows = -(-len(shown.links) // columns)
    legend = [
        Line2D([], [], color=QUIET, linewidth=_width(size, shown.most), label=words.count(size))
        for size in _round_steps(shown.most)
    ]
    lines = "Width of a line: pairs of partners in projects, mean per run (under 0.05 left out)"
    title = "Which countries' clusters work together"
    figure = sheet(shown.lineup.source, title, 3.2 * rows, legend, 3, lines)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(shown.links) :]:
        axes.set_axis_off()
    for axes, (scenario, links) in zip(panels, shown.links.items()):
        _graph(axes, links, shown.places, shown.most)
        name = shown.lineup.label(scenario)
        axes.set_title(f"{name}\n{_total(links)} pairs of partners across borders", fontsize=9, loc="left")
    return figure


def _graph(axes: Any, links: pd.DataFrame, places: Places, most: float) -> None:
    strength: dict[str, float] = dict.fromkeys(places, 0.0)
    for _, row in links.iterrows():
        a, b = places[row["country"]], places[row["other"]]
        grey = 0.72 - 0.6 * (row["links"] / most) ** 0.5
        axes.plot(*zip(a, b), color=str(grey), linewidth=_width(row["links"], most), zorder=1, solid_capstyle="round")
        strength[row["country"]] += row["links"]
        strength[row["other"]] += row["links"]
    for code, (x, y) in places.items():
        alone = strength[code] == 0
        edge = PALE if alone else BLUE
        box = {"boxstyle": "round,pad=0.16", "facecolor": "white", "edgecolor": edge, "linewidth": 0.9}
        axes.text(x, y, code, ha="center", va="center", fontsize=9, color=QUIET if alone else INK, bbox=box, zorder=3)
    axes.set_xlim(-1.12, 1.12)
    axes.set_ylim(-1.1, 1.1)
    axes.set_axis_off()


def _width(links: float, most: float) -> float:
    """Return the width of a line, in points."""
    return max(0.35, 7.0 * links / most)


def _round_steps(most: float) -> list[float]:
    """Return three round numbers of links up to the most, none of them zero."""
    step = 10 ** np.floor(np.log10(most))
    top = float(step * np.floor(most / step))
    return [top / 10, top / 3 if top / 3 < 1 else float(round(top / 3)), top]


def caption(shown: Network) -> Caption:
    """Say how to read the figure, and which links are strongest in the base."""
    base = shown.links.get(shown.lineup.base)
    strongest = []
    if base is not None:
        for _, row in base.sort_values("links", ascending=False, kind="stable").head(NAMED).iterrows():
            a, b = (words.country(str(row[name])) for name in ("country", "other"))
            strongest.append(f"{a} with {b} {words.count(row['links'])}")
    reading = (
        "Countries and regions by code, each in the same place in every panel; shown are the base and the scenarios "
        "that change the network most. A place says nothing but who is linked most (inner ring)."
    )
    totals = [f"{shown.lineup.titles[scenario]} {_total(links)}" for scenario, links in shown.links.items()]
    text = f"Networks of countries whose clusters are partners in projects. Pairs of partners: {'; '.join(totals)}."
    return Caption(reading, f"{text} Strongest in the base: {'; '.join(strongest)}." if strongest else text)


def _total(links: pd.DataFrame) -> str:
    """Return how many pairs of partners work together across borders."""
    return words.count(float(links["links"].sum()))


EXHIBIT = Exhibit("network", data, draw, caption)
