"""The adapters of a project: what they come from, which of them answer, and how each got there."""

from finetune.registry.folders import name_of
from finetune.registry.registry import Registry
from finetune.registry.step import BASE
from finetune.registry.values import Change, Entry, Status

__all__ = ["BASE", "Change", "Entry", "Registry", "Status", "name_of"]
