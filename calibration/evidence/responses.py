"""Who answered a survey, by country: Table 1 of an evaluation, as the simulated survey reads it."""

from typing import NamedTuple


class Response(NamedTuple):
    """How the partners with a grant in one funding country, and their SMEs, answered.

    Parameters
    ----------
    country : str
        Its code.
    clusters_targeted, clusters_received : int
        Clusters that were asked, and that answered.
    smes_received : int
        SMEs that answered.
    """

    country: str
    clusters_targeted: int
    clusters_received: int
    smes_received: int

    @property
    def cluster_share(self) -> float:
        """The share of clusters that answered."""
        return self.clusters_received / self.clusters_targeted

    @property
    def smes_per_cluster(self) -> float:
        """SME answers per cluster that answered."""
        return self.smes_received / self.clusters_received if self.clusters_received else 0.0

    @property
    def smes_answering(self) -> float:
        """SME answers per cluster that was asked."""
        return self.smes_received / self.clusters_targeted
