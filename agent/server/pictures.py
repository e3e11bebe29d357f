"""/v1/pictures: pictures that lie beside the catalog, for items whose `image` is a path.

A picture is shown, never run: whatever a file holds, browsers are told to load nothing from it, to
run nothing in it, and not to guess another type.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from agent.server.access import needs
from agent.server.context import Here

router = APIRouter(prefix="/v1/pictures", tags=["items"], dependencies=[needs("chat")])

TYPES = {
    ".avif": "image/avif", ".gif": "image/gif", ".jpeg": "image/jpeg", ".jpg": "image/jpeg",
    ".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp",
}  # fmt: skip

HEADERS = {
    "Cache-Control": "private, max-age=3600",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/{path:path}", response_class=FileResponse)
def picture(path: str, here: Here) -> FileResponse:
    """Return a picture by the path that an item's `image` gives."""
    found = find_picture(here.pictures, path)
    if found is None:
        raise HTTPException(404, f"no picture {path[:200]!r} beside the catalog")
    return FileResponse(found, media_type=TYPES[found.suffix.lower()], headers=HEADERS)


def find_picture(folder: Path | None, path: str) -> Path | None:
    """Return the file of a picture inside a folder; None for anything else."""
    if folder is None or "\0" in path:
        return None
    try:
        root = folder.resolve(strict=True)
        found = (root / path).resolve(strict=True)
    except OSError:
        return None
    inside = found.is_relative_to(root) and found.is_file()
    return found if inside and found.suffix.lower() in TYPES else None
