"""Whose data was deleted, users and sessions by key; sessions are found by their user."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the index."""
    op.create_table(
        "deleted_users",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sessions", sa.JSON, nullable=False),
    )
    op.create_index("sessions_user", "sessions", ["user"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("sessions_user", "sessions")
    op.drop_table("deleted_users")
