"""What keeps an installation from starting, in words for the person at the terminal."""


class CannotStart(Exception):
    """The message says what failed, why, and what to do."""
