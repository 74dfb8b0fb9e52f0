"""How many runs are carried out, for every question alike."""
