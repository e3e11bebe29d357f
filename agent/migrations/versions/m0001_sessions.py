"""Sessions, turns, slates, impressions and feedback.

Written out rather than taken from `agent.tables`: a released migration never changes.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.String(64)
_TIME = sa.DateTime(timezone=True)


def _need(name: str, kind: Any, *more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, *more, nullable=False)


def _parent(column: str) -> sa.ForeignKey:
    return sa.ForeignKey(column, ondelete="CASCADE")


def upgrade() -> None:
    """Create the first tables."""
    _create_sessions()
    _create_slates()
    _create_events()


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("user", sa.String(200)),
        _need("created", _TIME),
        _need("state", sa.JSON),
        _need("turns", sa.Integer),
        _need("version", sa.Integer),
    )
    op.create_table(
        "turns",
        sa.Column("id", _ID, primary_key=True),
        _need("session_id", _ID, _parent("sessions.id")),
        _need("number", sa.Integer),
        _need("time", _TIME),
        _need("utterance", sa.Text),
        _need("reply", sa.Text),
        _need("plan", sa.JSON),
        _need("state", sa.JSON),
        sa.Column("slate_id", _ID),
        _need("claims", sa.JSON),
        _need("relaxations", sa.JSON),
        _need("notes", sa.JSON),
        _need("timings", sa.JSON),
        _need("planner", sa.String(16)),
        sa.Column("model", sa.String(200)),
        sa.Column("prompt", sa.String(200)),
        sa.UniqueConstraint("session_id", "number", name="turns_number"),
    )


def _create_slates() -> None:
    op.create_table(
        "slates",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("session_id", _ID, _parent("sessions.id")),
        sa.Column("turn_id", _ID, _parent("turns.id")),
    )
    op.create_index("slates_session", "slates", ["session_id"])
    op.create_index("slates_turn", "slates", ["turn_id"])
    op.create_table(
        "slate_items",
        sa.Column("slate_id", _ID, _parent("slates.id"), primary_key=True),
        sa.Column("rank", sa.Integer, primary_key=True),
        _need("item_id", sa.Text),
        _need("score", sa.Float),
        _need("fields", sa.JSON),
        _need("reasons", sa.JSON),
    )


def _create_events() -> None:
    op.create_table(
        "impressions",
        sa.Column("slate_id", _ID, _parent("slates.id"), primary_key=True),
        sa.Column("rank", sa.Integer, primary_key=True),
        _need("item_id", sa.Text),
        _need("propensity", sa.Float),
        _need("policy", sa.String(64)),
        _need("time", _TIME),
    )
    op.create_table(
        "feedback_events",
        sa.Column("id", _ID, primary_key=True),
        _need("slate_id", _ID, _parent("slates.id")),
        sa.Column("item_id", sa.Text),
        _need("kind", sa.String(16)),
        sa.Column("value", sa.JSON),
        _need("consent", sa.Boolean),
        _need("time", _TIME),
    )
    op.create_index("feedback_slate", "feedback_events", ["slate_id"])


def downgrade() -> None:
    """Drop the first tables."""
    for name in (
        "feedback_events", "impressions", "slate_items", "slates", "turns", "sessions",
    ):  # fmt: skip
        op.drop_table(name)
