"""From evidence to a posterior: worlds, emulators, chains."""
