"""The world of the programme: rules, state, the order of the month, and runs of it."""
