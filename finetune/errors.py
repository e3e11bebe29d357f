"""Errors of the finetune package.

FinetuneError
└── LabelError   a label file cannot be read or does not fit its catalog (its author acts)
"""


class FinetuneError(Exception):
    """Anything that went wrong while measuring or training."""


class LabelError(FinetuneError):
    """A label file is unusable: says which file, line and field, and what was expected."""
