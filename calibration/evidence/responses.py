"""Who answered a survey, by country: Table 1 of an evaluation, as the simulated survey reads it."""

from typing import NamedTuple


class Response(NamedTuple):
    """How the partners with a grant in one funding country and their SMEs answered."""

    country: str
    clusters_targeted: int
    clusters_received: int
    smes_received: int

    @property
    def cluster_share(self) -> float:
        """Share of the clusters that answered."""
        return self.clusters_received / self.clusters_targeted

    @property
    def smes_per_cluster(self) -> float:
        """SME answers per cluster that answered."""
        return self.smes_received / self.clusters_received if self.clusters_received else 0.0

    @property
    def smes_answering(self) -> float:
        """SME answers per cluster targeted."""
        return self.smes_received / self.clusters_targeted
