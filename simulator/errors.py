"""Errors that a user of the simulator can mend."""


class SettingError(ValueError):
    """A setting of the environment that cannot be used; the message is one sentence for the person who set it."""
