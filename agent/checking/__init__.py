"""Checking free text about items, whoever wrote it, against the catalog and the wishes."""

from agent.checking.statements import Checker, Verdict, check

__all__ = ["Checker", "Verdict", "check"]
