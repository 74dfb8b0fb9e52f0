"""The hindcast: the past calls simulated, and observed as the evidence observes them."""
