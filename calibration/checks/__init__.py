"""What the fit is worth: compared with data, known worlds, a call left out, and calls to come."""
