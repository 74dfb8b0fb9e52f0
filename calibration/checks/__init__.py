"""What a fit is worth: held against data, known worlds, a call left out, and calls to come."""
