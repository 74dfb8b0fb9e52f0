"""The month, in order: this tuple is the ODD's process overview, and `run` runs it."""

from simulator.founding import found_world
from simulator.instruments.calls.consortia import form_consortia
from simulator.instruments.calls.funding import announce, decide
from simulator.instruments.calls.matchmaking import hold_event
from simulator.instruments.calls.projects import start_partners, work
from simulator.instruments.calls.review import review_and_close
from simulator.instruments.calls.services import bring_together, credit_projects, learn_and_meet, slow_own_paths
from simulator.jit import kernel
from simulator.outcomes.own_paths import follow_own_paths
from simulator.outcomes.ties import live_ties
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
    bring_together,  # 8 joint work
    live_ties,  # 8 trust, 9 outcomes
    credit_projects,  # 9 outcomes, as projects count them
    slow_own_paths,  # 10 own effort given up for the project
    follow_own_paths,  # 10 on their own
    review_and_close,  # 11 review and phase two, 12 close and learn
)


@kernel
def run(first_month, last_month, seed, parameters, rules, world, state):
    """Carry out the months from `first_month` to before `last_month`; a state that is not founded yet is founded first.

    End at once where a table is too small.
    """
    if state.used.founded == 0:
        found_world(seed, parameters, rules, world, state)
    for month in range(first_month, last_month):
        if state.used.too_small == 1:  # to be repeated with larger tables
            return
        turn_of_the_year(month, parameters, state)
        hold_event(month, seed, parameters, rules, world, state)
        form_consortia(month, seed, parameters, rules, world, state)
        decide(month, seed, parameters, rules, world, state)
        announce(month, state)
        start_partners(month, seed, parameters, rules, state)
        work(month, parameters, state)
        learn_and_meet(month, seed, parameters, rules, world, state)
        bring_together(month, parameters, state)
        live_ties(month, seed, parameters, rules, state)
        credit_projects(month, state)
        slow_own_paths(month, seed, parameters, state)
        follow_own_paths(month, seed, parameters, state)
        review_and_close(month, seed, parameters, rules, state)
