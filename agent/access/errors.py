"""Errors of access: who calls, and how much.

AccessError
├── KeyMissing        no key was sent (the caller acts)
├── KeyUnknown        no such key, whatever is wrong with it (the caller acts)
├── KeyExpired        the key was good until some time ago (the caller asks for a new one)
├── KeyRevoked        the key was taken back (the caller asks for a new one)
├── ScopeMissing      the key is not for this (the caller asks for another)
├── OriginRefused     a web page that may not use the key (its owner asks to be allowed)
├── UnknownKey        no key of that id is stored (whoever manages keys acts)
├── RateExceeded      too many requests in a short time (the caller waits)
├── BudgetSpent       the day's tokens are used up (the caller waits, or asks for more)
├── Busy              as many turns as the process takes are under way (the caller waits)
├── TimedOut          the request took too long (the caller asks again)
├── TenantUnavailable a tenant's catalog cannot be opened (the operator acts)
├── BadLimits         a rate or the place where it is counted is none (the operator acts)
└── BadTenants        tenants.toml cannot be used (the operator acts)
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.errors import AgentError


class AccessError(AgentError):
    """A request is not let in.

    Args:
        headers: Of the answer, for the client's sake.
    """

    def __init__(self, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.headers: dict[str, str] = dict(headers or {})


class KeyMissing(AccessError):
    """No key was sent."""


class KeyUnknown(AccessError):
    """The key is not one of ours; why is not said, lest it be guessed in steps."""


class KeyExpired(AccessError):
    """The key was good once; said only to those who hold it."""


class KeyRevoked(AccessError):
    """The key was taken back; said only to those who hold it."""


class ScopeMissing(AccessError):
    """The key is good, for something else."""


class OriginRefused(AccessError):
    """The key is good, but not from a web page of that origin."""


class UnknownKey(AccessError):
    """No key of that id is stored."""


class RateExceeded(AccessError):
    """Too many requests in a short time."""


class BudgetSpent(AccessError):
    """The tokens of the day are used up."""


class Busy(AccessError):
    """As many turns as one process takes are under way."""


class TimedOut(AccessError):
    """The request took longer than a request may."""


class TenantUnavailable(AccessError):
    """A tenant's catalog or store cannot be opened; the log says why."""


class BadLimits(AccessError):
    """A rate cannot be read, or there is nowhere to count it."""


class BadTenants(AccessError):
    """The file that names the tenants cannot be used: says where and why."""
