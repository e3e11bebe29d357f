"""Versioned prompts and schemas, shipped as package data."""

from prompts.errors import MissingVariables, PromptError, UnknownPrompt, UnknownVariables
from prompts.library import Message, Template, available, load, own, schema

__all__ = [
    "Message",
    "MissingVariables",
    "PromptError",
    "Template",
    "UnknownPrompt",
    "UnknownVariables",
    "available",
    "load",
    "own",
    "schema",
]
