"""What happens in a call for projects, as the log keeps it."""

from enum import unique

from simulator.instruments import CALLS
from simulator.jit import inline, paste
from simulator.outcomes.events import Event, Origin, note


@unique
class CallEvent(Event):
    """What happens to clusters in a call, from the event to the close of its projects."""

    MEETING = 0, "cluster", "cluster"
    PROPOSAL = 1, "cluster"
    APPLIED = 2, "cluster", "funder"
    GRANTED = 3, "cluster", "funder"
    REFUSED = 4, "cluster", "funder"
    NOT_STARTED = 5, "cluster", "funder"
    STARTED = 6, "cluster", "funder"
    WENT_ALONE = 7, "cluster"
    GIVEN_UP = 8, "cluster"
    PARTNER_LEFT = 9, "cluster"
    ENGAGED = 10, "cluster"
    REVIEWED = 25, "cluster"
    EXTENDED = 26, "cluster", "funder"
    CLOSED = 27, "cluster"


@inline
def origin_of(project, projects):
    """Return the origin of what comes from a project."""
    return Origin(CALLS, projects[project].call, project)


@paste
def note_in_project(month, kind, who, whom, project, amount, state):
    """Write an event of a project into the log."""
    note(state.used, state.log, month, kind, who, whom, origin_of(project, state.projects), amount)
