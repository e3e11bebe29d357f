"""Errors of the finetune package.

FinetuneError
├── LabelError      a label file cannot be read or does not fit its catalog (its author acts)
├── DataError       training rows cannot be read or used (their author acts)
├── BaseModelError  a base model does not exist or cannot be had (whoever named it acts)
├── AdapterError    an adapter is damaged, incomplete or made for another base
├── RegistryError   an adapter can't take the step that was asked of it (the operator acts)
├── TrainingError   a run cannot start as configured, or came to nothing
├── GateError       a gate cannot decide: its thresholds or what it was given are unusable
├── LoopError       a round's folder is not what a round wrote
└── MissingExtra    a library of the [train] extra is not installed: says the pip line
"""


class FinetuneError(Exception):
    """Anything that went wrong while measuring or training."""


class LabelError(FinetuneError):
    """A label file is unusable: says which file, line and field, and what was expected."""


class DataError(FinetuneError):
    """Training data is unusable: says which file, line and reason."""


class BaseModelError(FinetuneError):
    """There is no such base model here, or it can't be downloaded just now."""


class AdapterError(FinetuneError):
    """An adapter must not be used: a file is missing or damaged, or its base is another."""


class RegistryError(FinetuneError):
    """An adapter is unknown, or must not take that step: nothing changed, the live one serves."""


class TrainingError(FinetuneError):
    """A run can't start as configured, or its result is no use: nothing was saved."""


class GateError(FinetuneError):
    """The gate can't decide: says what in the thresholds or its input is wrong."""


class LoopError(FinetuneError):
    """A round's folder is not what a round wrote: says what it holds."""


class MissingExtra(FinetuneError):
    """A library is not installed: says which, and the pip line."""
