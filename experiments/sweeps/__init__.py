"""Sweeps: a question over the whole space of assumptions, run in parts that can be stopped, resumed and spread."""
