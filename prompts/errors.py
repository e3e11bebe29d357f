"""Errors of the prompts package; the caller acts on all of them.

PromptError
├── UnknownPrompt       no released prompt has that id: lists those that exist
├── MissingVariables    a template's variables were not all given: names each
└── UnknownVariables    something was given that the template has no place for: names each
"""


class PromptError(Exception):
    """A prompt cannot be loaded or filled in."""


class UnknownPrompt(PromptError):
    """No prompt file carries the id that was asked for."""


class MissingVariables(PromptError):
    """Variables of a template were left out."""


class UnknownVariables(PromptError):
    """Variables were given that the template does not have."""
