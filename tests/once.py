"""What comes out the same each time is made once: the tables of an empty store, and what FastAPI
makes of a router. A store and an app of its own would be most of what many a test takes."""

from functools import cache

import fastapi
from sqlalchemy import make_url

from agent import database

_migrate, _include = database._migrate, fastapi.FastAPI.include_router


@cache
def _statements():
    """Return what the migrations made of an empty database, in the order of making."""
    engine = database._sqlite(make_url("sqlite://"))
    with engine.begin() as connection:
        _migrate(connection, "sqlite://", None)
        made = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        ).scalars()
        head = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        statements = [*made, f"INSERT INTO alembic_version VALUES ('{head}')"]
    engine.dispose()
    return statements


def migrate(connection, where, schema):
    """Migrate a database; where it is an empty file, by taking the tables as they end up."""
    if (
        connection.dialect.name != "sqlite"
        or connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    ):
        _migrate(connection, where, schema)
        return
    for statement in _statements():
        connection.exec_driver_sql(statement)


_included = {}


def include_router(app, router, **given):
    """Include a router in an app, as it was in the first one: of that app it keeps nothing."""
    _include(app, router, **given)
    if not given:
        made = app.router.routes[-1]
        app.router.routes[-1] = _included.setdefault(id(router), (router, made))[1]
