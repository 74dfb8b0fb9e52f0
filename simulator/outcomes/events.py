"""The log: every event of a run with who, when and why, and what its outcomes are called there."""

from enum import IntEnum, unique
from typing import Literal, NamedTuple

import numpy as np

from simulator.jit import kernel
from simulator.records import NEVER, NOBODY, table

Party = Literal["cluster", "SME", "funder"]  # what `who` and `whom` of an event are

# Every event of the run, in order: who, when and why.
EVENT = table(
    ("month", np.int64),
    ("kind", np.int64),  # number of the kind of event
    ("who", np.int64),
    ("whom", np.int64, NOBODY),
    ("project", np.int64, NOBODY),  # project that it comes from, -1 none
    ("amount", np.float64),  # EUR, number, share or month, by kind
    ("call", np.int64, NEVER),  # call to which it is booked, -1 none
    ("origin", np.int64, NOBODY),  # instrument that it comes from, -1 for what SMEs reach on their own
)


class Event(IntEnum):
    """A kind of event: its number in the log, and what `who` and `whom` are.

    Numbers are part of the results: never renumber, only append.
    """

    who: Party
    whom: Party | None

    def __new__(cls, number: int, who: Party, whom: Party | None = None) -> "Event":
        member = int.__new__(cls, number)
        member._value_ = number
        member.who, member.whom = who, whom
        return member

    @property
    def word(self) -> str:
        """Its name in small letters, as in tables."""
        return self.name.lower()


@unique
class OutcomeEvent(Event):
    """What happens to SMEs, whatever it comes from. The four of a kind stand in the order of `OUTCOMES`."""

    KNOWLEDGE = 11, "SME"
    CONTACT = 12, "SME", "SME"
    PARTNERSHIP = 13, "SME", "SME"
    RNI_COLLABORATION = 14, "SME", "SME"
    CONTRACT = 15, "SME", "SME"
    MET_KNOWLEDGE = 16, "SME"
    MET_PARTNERSHIP = 17, "SME"
    MET_RNI_COLLABORATION = 18, "SME"
    MET_CONTRACT = 19, "SME"
    OWN_KNOWLEDGE = 20, "SME"
    OWN_PARTNERSHIP = 21, "SME"
    OWN_RNI_COLLABORATION = 22, "SME"
    OWN_CONTRACT = 23, "SME"
    DISPLACED = 24, "SME", "SME"


def in_order(*kinds: type[Event]) -> tuple[Event, ...]:
    """Return all kinds of events by number; raises ValueError where a number is missing or there twice."""
    events = sorted((event for kind in kinds for event in kind), key=int)
    if [int(event) for event in events] != list(range(len(events))):
        raise ValueError(f"events must be numbered from 0 without a gap: {', '.join(map(repr, events))}")
    return tuple(events)


class Origin(NamedTuple):
    """What an event comes from, as the log keeps it.

    Attributes
    ----------
    instrument : int
        Its number, see `simulator.instruments`; NOBODY for what SMEs reach on their own.
    call : int
        Row of the call to which outcomes are booked: whatever an instrument brings has one.
    project : int
        Row of the project, NOBODY without one.
    """

    instrument: int
    call: int
    project: int


@kernel
def note(used, log, month, kind, who, whom, origin, amount):
    """Write one event into the log."""
    row = used.log
    if row >= log.shape[0]:
        used.too_small = 1
        return
    log[row].month = month
    log[row].kind = kind
    log[row].who = who
    log[row].whom = whom
    log[row].project = origin.project
    log[row].amount = amount
    log[row].call = origin.call
    log[row].origin = origin.instrument
    used.log = row + 1
