"""The owner's pages: what was said and why, the catalog's health, what was learned, long runs."""

from ui.web.owner.page import make_owner

__all__ = ["make_owner"]
