"""The measures of a call: what the model can say about one, and a target may name."""

from functools import cache
from typing import Literal, NamedTuple

from scenarios import programme

Block = Literal["programme", "survey"]
Family = Literal["count", "level", "share"]


class CallMeasure(NamedTuple):
    """A number about one call.

    Parameters
    ----------
    name : str
        As in `targets.csv`.
    block : {"programme", "survey"}
        Where the number comes from: statistics of the programme, or its survey.
    family : {"count", "level", "share"}
        A count, a level (a positive number, compared in logarithms) or a share of answers. Counts and levels are
        those of one run, so their error is the luck of a run. Shares are expected shares without the luck of the
        survey; their error is that of `effective_n` answers.
    label : str
        In words.
    """

    name: str
    block: Block
    family: Family
    label: str


_PROGRAMME = (
    CallMeasure("applications", "programme", "count", "Applications of partners to their funders"),
    CallMeasure("approvals", "programme", "count", "Applications approved"),
    CallMeasure("projects", "programme", "count", "Projects with at least one grant"),
    CallMeasure("clusters", "programme", "count", "Clusters in these projects"),
    CallMeasure("clusters_in_two_projects", "programme", "count", "Clusters in two or more of them"),
    CallMeasure("clusters_with_two_grants", "programme", "count", "Clusters with grants for two or more of them"),
    CallMeasure("countries", "programme", "count", "Nations of their clusters"),
    CallMeasure("clusters_outside_bsr", "programme", "count", "Clusters from outside the Baltic Sea Region"),
    CallMeasure("projects_one_grant", "programme", "count", "Projects with exactly one grant"),
    CallMeasure("projects_two_grants", "programme", "count", "Projects with two or more grants"),
    CallMeasure("projects_2_countries", "programme", "count", "Projects with clusters of two nations"),
    CallMeasure("projects_3_countries", "programme", "count", "Projects with clusters of three nations"),
    CallMeasure("projects_4_countries", "programme", "count", "Projects with clusters of four nations"),
    CallMeasure("projects_5_countries", "programme", "count", "Projects with clusters of five nations or more"),
    CallMeasure("not_started", "programme", "count", "Grants that were never taken up"),
    CallMeasure("slots_elsewhere", "programme", "count", "Partners from countries without a funder in the call"),
    CallMeasure("smes_engaged", "programme", "level", "SMEs engaged"),
    CallMeasure("smes_median", "programme", "level", "Median of SMEs engaged by a project"),
    CallMeasure("smes_upper_quartile", "programme", "level", "Upper quartile of SMEs engaged by a project"),
    CallMeasure("meetings", "programme", "count", "Meetings of clusters at the matchmaking event"),
)

_SURVEY = (
    CallMeasure("sme_knowledge", "survey", "share", "SMEs: knowledge sharing, inspiration, new opportunities"),
    CallMeasure("sme_partners", "survey", "share", "SMEs: access to new partners, broadened networks"),
    CallMeasure("sme_rni", "survey", "share", "SMEs: initiation of longer-term R&I collaboration"),
    CallMeasure("sme_contract", "survey", "share", "SMEs: initiation of commercial contract or transaction"),
    CallMeasure("sme_rni_or_contract", "survey", "share", "SMEs: R&I collaboration or contract or both"),
    CallMeasure("sme_would_not_have", "survey", "share", "SMEs: say they would not have done it without the project"),
    CallMeasure("sme_cluster_helpful", "survey", "share", "SMEs: say that their cluster was helpful"),
    CallMeasure("sme_top_networking", "survey", "share", "SMEs, top three: general networking, new contacts"),
    CallMeasure("sme_top_market", "survey", "share", "SMEs, top three: market information, inspiration"),
    CallMeasure("sme_top_exposure", "survey", "share", "SMEs, top three: new opportunities, other sectors"),
    CallMeasure("cluster_knowledge", "survey", "share", "Clusters: knowledge sharing, opportunity identification"),
    CallMeasure("cluster_partners", "survey", "share", "Clusters: access to new partners, broadened networks"),
    CallMeasure("cluster_rni", "survey", "share", "Clusters: initiation of longer-term R&I collaboration"),
)


@cache
def measures() -> dict[str, CallMeasure]:
    """Return all measures by name, some of them for the country of every funder of the programme."""
    by_country = []
    for funder in programme().funders.values():
        code, country = funder.country, programme().countries[funder.country].name
        by_country.append(CallMeasure(f"grants_{code}", "programme", "count", f"Grants to partners from {code}"))
        by_country.append(CallMeasure(f"slots_{code}", "programme", "count", f"Partners from {code}"))
        label = f"Share of SME answers that come from {country}"
        by_country.append(CallMeasure(f"share_answers_{code}", "survey", "share", label))
    return {measure.name: measure for measure in (*_PROGRAMME, *by_country, *_SURVEY)}
