"""Which adapter or model took a turn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; turns from before have none."""
    op.add_column("turns", sa.Column("voice", sa.String(200)))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("turns", "voice")
