"""What a user asks: run, compare, sweep, report; and the command line."""
