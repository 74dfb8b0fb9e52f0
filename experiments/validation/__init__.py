"""Proof of what the calibration is worth: checks as tables, and their report."""
