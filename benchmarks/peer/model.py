"""The run: a Mesa model, one month a step, its processes in the order of `simulator.schedule.MONTH`."""

from benchmarks.peer.agents import SME, Cluster
from benchmarks.peer.base import Peer
from benchmarks.peer.calls import form_consortia, hold_event
from benchmarks.peer.decisions import announce, decide
from benchmarks.peer.outcomes import learn_and_meet, live_ties, slow_own_paths
from benchmarks.peer.work import review_and_close, start_partners, work
from simulator.ensemble import Inputs


class PeerModel(Peer):
    """One run of the same model, in objects."""

    def step(self) -> None:
        """Carry out one month."""
        if self.month > 0 and self.month % 12 == 0:
            self.agents_by_type[Cluster].do("forget")
        hold_event(self)
        form_consortia(self)
        decide(self)
        announce(self)
        start_partners(self)
        work(self)
        learn_and_meet(self)
        live_ties(self)
        slow_own_paths(self)
        self.agents_by_type[SME].do("follow_own_path")
        review_and_close(self)
        self.month += 1
        self.running = self.month < self.months


def run(inputs: Inputs, seed: int, compiled: bool = False) -> PeerModel:
    """Carry out a whole run."""
    model = PeerModel(inputs, seed, compiled)
    while model.month < model.months:
        model.step()
    return model
