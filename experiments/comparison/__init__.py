"""Compare scenarios: the runs of a study, its tables, its answers and its report."""
