"""Instruments of the programme. Each has a room with its tables, its money, its decisions and its measures."""

INSTRUMENTS = ("calls",)  # by the number under which the log keeps what comes from them
CALLS = 0
