"""Errors of the surfaces.

UIError               something the person at the terminal can put right
"""


class UIError(Exception):
    """A command cannot run as given: says what is missing or wrong, and what to do."""
