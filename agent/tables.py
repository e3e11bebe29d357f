"""The tables of the store, for SQLite and PostgreSQL alike.

Declared once here for queries; created and changed only by `agent/migrations`. A test holds the
two equal.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from agent.sealed import SealedJson, SealedText

metadata = MetaData()


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn a moment into UTC before it is written."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give a moment read back its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


def _parent(column: str, **options: Any) -> ForeignKey:
    return ForeignKey(column, ondelete="CASCADE", **options)


sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user", String(200)),
    Column("created", UtcTime, nullable=False),
    Column("state", SealedJson, nullable=False),
    Column("turns", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Index("sessions_user", "user"),
)

turns = Table(
    "turns",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("session_id", String(64), _parent("sessions.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("time", UtcTime, nullable=False),
    Column("utterance", SealedText, nullable=False),
    Column("reply", SealedText, nullable=False),
    Column("plan", SealedJson, nullable=False),
    Column("state", SealedJson, nullable=False),
    Column("slate_id", String(64)),
    Column("claims", SealedJson, nullable=False),
    Column("relaxations", SealedJson, nullable=False),
    Column("notes", SealedJson, nullable=False),
    Column("timings", JSON, nullable=False),
    Column("planner", String(16), nullable=False),
    Column("model", String(200)),
    Column("prompt", String(200)),
    Column("written", SealedJson),
    Column("voice", String(200)),
    Column("service", SealedJson(none_as_null=True)),
    UniqueConstraint("session_id", "number", name="turns_number"),
)

slates = Table(
    "slates",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("session_id", String(64), _parent("sessions.id")),
    Column("turn_id", String(64), _parent("turns.id")),
    Index("slates_session", "session_id"),
    Index("slates_turn", "turn_id"),
)

slate_items = Table(
    "slate_items",
    metadata,
    Column("slate_id", String(64), _parent("slates.id"), primary_key=True),
    Column("rank", Integer, primary_key=True),
    Column("item_id", Text, nullable=False),
    Column("score", Float, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("reasons", SealedJson, nullable=False),
)

impressions = Table(
    "impressions",
    metadata,
    Column("slate_id", String(64), _parent("slates.id"), primary_key=True),
    Column("rank", Integer, primary_key=True),
    Column("item_id", Text, nullable=False),
    Column("propensity", Float, nullable=False),
    Column("policy", String(64), nullable=False),
    Column("time", UtcTime, nullable=False),
)

feedback_events = Table(
    "feedback_events",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("slate_id", String(64), _parent("slates.id"), nullable=False),
    Column("item_id", Text),
    Column("kind", String(16), nullable=False),
    Column("value", SealedJson(none_as_null=True)),
    Column("consent", Boolean, nullable=False),
    Column("time", UtcTime, nullable=False),
    Index("feedback_slate", "slate_id"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("fingerprint", Text, nullable=False),
)

deleted_users = Table(
    "deleted_users",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("time", UtcTime, nullable=False),
    Column("sessions", JSON, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("due", UtcTime, nullable=False),
    Column("lease", UtcTime),
    Column("finished", UtcTime),
    Column("error", Text),
    Column("result", JSON(none_as_null=True)),
    Index("jobs_due", "status", "due"),
)

handovers = Table(
    "handovers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("session_id", String(64), _parent("sessions.id"), nullable=False),
    Column("turn_id", String(64), _parent("turns.id"), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("detail", SealedText, nullable=False),
    Column("status", String(16), nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("changed", UtcTime, nullable=False),
    Index("handovers_session", "session_id"),
    Index("handovers_status", "status", "created"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("expires", UtcTime),
    Column("revoked", UtcTime),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("session_id", String(64), _parent("sessions.id")),
    Column("turn_id", String(64), _parent("turns.id")),
    Column("answer", SealedJson(none_as_null=True)),
    Column("time", UtcTime, nullable=False),
    Index("idempotency_session", "session_id"),
    Index("idempotency_turn", "turn_id"),
    Index("idempotency_time", "time"),
)

usage_days = Table(
    "usage_days",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("key_id", String(32), primary_key=True),
    Column("turns", Integer, nullable=False),
    Column("tokens", BigInteger, nullable=False),
)

threads = Table(
    "threads",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("session_id", String(64), _parent("sessions.id"), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("time", UtcTime, nullable=False),
    Index("threads_session", "session_id"),
)
