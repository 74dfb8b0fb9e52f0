"""Batteries of statistical tests on the keyed draws, along the keys that the model uses."""
