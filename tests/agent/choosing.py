"""Choosers of tests: they know what is liked by a function."""


class Liking:
    """Rewards items by a function, and remembers what it was asked."""

    def __init__(self, reward, name="taste"):
        self.name = name
        self.asked = []
        self._reward = reward

    def rewards(self, need, items, facets):
        self.asked.append((need, tuple(item.id for item in items)))
        return tuple(float(self._reward(item)) for item in items)
