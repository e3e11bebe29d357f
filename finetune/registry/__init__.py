"""The adapters of a project: what they come from, which of them answer, and how each got there."""

from finetune.registry.registry import Registry
from finetune.registry.values import Change, Entry, Status

__all__ = ["Change", "Entry", "Registry", "Status"]
