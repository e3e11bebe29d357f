"""Like-this-but-X: a benchmark of critiques over any catalog. Format in docs/critiques.md."""

from finetune.critiques.format import (
    Case,
    Edits,
    Header,
    read_answers,
    read_cases,
    write_cases,
)

__all__ = ["Case", "Edits", "Header", "read_answers", "read_cases", "write_cases"]
