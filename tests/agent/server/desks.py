"""A desk that decides on adapters as it is told, for tests of who asks it."""

from agent.errors import AdapterRefused, NoSuchAdapter
from agent.routes import Canary, Routes, write_routes


class Desk:
    """Decides whatever it is asked, but for one adapter that it refuses."""

    def __init__(self, folder):
        self.folder = folder
        self.lives = []
        self.version = 0

    def promote(self, name, *, force, why):
        if name == "nobody":
            raise NoSuchAdapter("there is no adapter 'nobody' here")
        if name == "bad" and not force:
            raise AdapterRefused("'bad' is not put before people: the gate refused it")
        self.lives.append(name)
        self._write()

    def canary(self, name, share, *, force, why):
        self._write(Canary(name, share, "salt"))

    def rollback(self, *, why):
        if not self.lives:
            raise AdapterRefused("nothing to roll back to")
        self.lives.pop()
        self._write()

    def statuses(self):
        return dict.fromkeys(self.lives, "live")

    def learned_from(self, sessions, users):
        return []

    def _write(self, canary=None):
        self.version += 1
        live = self.lives[-1] if self.lives else None
        folders = {name: self.folder for name in ("good", "bad")}
        write_routes(self.folder, Routes(self.version, live, canary, adapters=folders))
