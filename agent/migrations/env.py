"""Alembic's entry: run the migrations on the connection that `agent.database` hands over."""

from __future__ import annotations

from alembic import context

from agent.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
