"""Customer service, keys and work in the background: what the API keeps beside its sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _time(name: str, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of(name: str, table: str, nullable: bool = True) -> sa.Column[object]:
    parent = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, sa.String(64), parent, nullable=nullable)


def upgrade() -> None:
    """Add the column and the tables."""
    op.add_column("turns", sa.Column("service", sa.JSON))
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        _time("created", nullable=False),
        _time("due", nullable=False),
        _time("lease"),
        _time("finished"),
        sa.Column("error", sa.Text),
        sa.Column("result", sa.JSON),
    )
    op.create_index("jobs_due", "jobs", ["status", "due"])
    op.create_table(
        "handovers",
        sa.Column("id", sa.String(64), primary_key=True),
        _of("session_id", "sessions", nullable=False),
        _of("turn_id", "turns", nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        _time("created", nullable=False),
        _time("changed", nullable=False),
    )
    op.create_index("handovers_session", "handovers", ["session_id"])
    op.create_index("handovers_status", "handovers", ["status", "created"])
    _keys()
    op.create_table(
        "threads",
        sa.Column("hash", sa.String(64), primary_key=True),
        _of("session_id", "sessions", nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        _time("time", nullable=False),
    )
    op.create_index("threads_session", "threads", ["session_id"])


def _keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        _time("created", nullable=False),
        _time("expires"),
        _time("revoked"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        _of("session_id", "sessions"),
        _of("turn_id", "turns"),
        sa.Column("answer", sa.JSON),
        _time("time", nullable=False),
    )
    op.create_index("idempotency_session", "idempotency_keys", ["session_id"])
    op.create_index("idempotency_turn", "idempotency_keys", ["turn_id"])
    op.create_index("idempotency_time", "idempotency_keys", ["time"])
    op.create_table(
        "usage_days",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("key_id", sa.String(32), primary_key=True),
        sa.Column("turns", sa.Integer, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("threads", "usage_days", "idempotency_keys", "api_keys", "handovers", "jobs"):
        op.drop_table(table)
    op.drop_column("turns", "service")
