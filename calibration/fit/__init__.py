"""The fit: from simulated worlds to the posterior, by emulators of what the model says about each target."""
