"""The tables of the store, for SQLite and PostgreSQL alike.

Declared once here for queries; created and changed only by `agent/migrations`. A test holds the
two equal.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
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
    Column("state", JSON, nullable=False),
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
    Column("utterance", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("state", JSON, nullable=False),
    Column("slate_id", String(64)),
    Column("claims", JSON, nullable=False),
    Column("relaxations", JSON, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("timings", JSON, nullable=False),
    Column("planner", String(16), nullable=False),
    Column("model", String(200)),
    Column("prompt", String(200)),
    Column("written", JSON),
    Column("voice", String(200)),
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
    Column("reasons", JSON, nullable=False),
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
    Column("value", JSON(none_as_null=True)),
    Column("consent", Boolean, nullable=False),
    Column("time", UtcTime, nullable=False),
    Index("feedback_slate", "slate_id"),
)

deleted_users = Table(
    "deleted_users",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("time", UtcTime, nullable=False),
    Column("sessions", JSON, nullable=False),
)
