"""The evidence: observed numbers about past calls, as data with sources, and the checks of such data."""
