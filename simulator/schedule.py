"""The month, in order: this tuple is the ODD's process overview, and `run` runs it."""

from simulator.founding import found
from simulator.instruments.calls.consortia import form_consortia
from simulator.instruments.calls.funding import announce, decide
from simulator.instruments.calls.matchmaking import hold_event
from simulator.instruments.calls.projects import start_partners, work
from simulator.instruments.calls.review import review_and_close
from simulator.jit import jit
from simulator.outcomes.contacts import learn_and_meet
from simulator.outcomes.own_paths import follow_own_paths, slow_own_paths
from simulator.outcomes.ties import live_ties
from simulator.state import FOUNDED, TOO_SMALL
from simulator.world.calendar import turn_of_the_year

MONTH = (
    turn_of_the_year,  # 1 calendar
    hold_event,  # 2 matchmaking event
    form_consortia,  # 3 consortium formation
    decide,  # 4 funding decision, at the close of a call
    announce,  # 4 decisions arrive, each at its date
    start_partners,  # 5 start, 6 recruitment
    work,  # 7 activities
    learn_and_meet,  # 8 knowledge and first contacts
    live_ties,  # 8 trust, 9 outcomes
    slow_own_paths,  # 10 own effort given up for the project
    follow_own_paths,  # 10 on their own
    review_and_close,  # 11 review and phase two, 12 close and learn
)


@jit
def run(first_month, last_month, seed, parameters, rules, world, state):
    """Months from `first_month` to before `last_month`; a state that is not founded yet is founded first.

    Ends at once where a table is too small.
    """
    if state.count[FOUNDED] == 0:
        found(seed, parameters, rules, world, state)
    for month in range(first_month, last_month):
        if state.count[TOO_SMALL] == 1:  # to be repeated with larger tables
            return
        turn_of_the_year(month, parameters, state)
        hold_event(month, seed, parameters, rules, world, state)
        form_consortia(month, seed, parameters, rules, world, state)
        decide(month, seed, parameters, rules, world, state)
        announce(month, state)
        start_partners(month, seed, parameters, rules, state)
        work(month, parameters, state)
        learn_and_meet(month, seed, parameters, rules, world, state)
        live_ties(month, seed, parameters, rules, world, state)
        slow_own_paths(month, seed, parameters, state)
        follow_own_paths(month, seed, parameters, state)
        review_and_close(month, seed, parameters, rules, state)
