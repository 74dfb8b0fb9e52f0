"""Who there is: clusters, SMEs, funders, and the calendar."""
