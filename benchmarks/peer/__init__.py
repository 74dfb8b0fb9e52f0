"""The same model as a Mesa user would write it: objects, one agent per SME, cluster organisation and funder.

An independent driver of the project's own scalar rules. It shares with the simulator the sentences of the theory
(`simulator.rules`), what a draw is for, and the inputs; tables, loops, funding rules, the order within a month and
the luck itself are written anew, in plain Python. `benchmarks.peers` compares it with the simulator and times both.
"""
