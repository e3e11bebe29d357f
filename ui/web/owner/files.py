"""Files that the owner saves from the pages, passed on from the API piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from agent.client.values import File
from ui.web.api import Api, ApiError
from ui.web.owner.desk import in_words
from ui.web.owner.login import PATH, words_at

STATUS = 502


def add_files(app: FastAPI, api: Api) -> None:
    """Add the files to an app that has the door before them (`ui.web.owner.login`)."""

    @app.get(f"{PATH}/files/never-shown.csv", include_in_schema=False)
    async def never_shown(request: Request) -> Response:
        path, name = "/v1/owner/catalog/never-shown.csv", "never-shown.csv"
        return await _passed_on(api, request, path, {}, name)

    @app.get(f"{PATH}/files/feedback.csv", include_in_schema=False)
    async def feedback(request: Request, days: str = "90", kind: str = "") -> Response:
        given = {"days": days, "kind": kind}
        path, name = "/v1/owner/feedback/events.csv", "feedback.csv"
        return await _passed_on(api, request, path, given, name)

    @app.get(f"{PATH}/files/pairs", include_in_schema=False)
    async def pairs(request: Request, name: str, file: str) -> Response:
        given, own = {"name": name, "file": file}, PurePosixPath(file).name
        return await _passed_on(api, request, "/v1/owner/pairs/file", given, own)


async def _passed_on(
    api: Api, request: Request, path: str, given: dict[str, str], name: str
) -> Response:
    opened = AsyncExitStack()
    try:
        file = await opened.enter_async_context(api.download(path, given))
    except ApiError as error:
        # Whoever saves a file comes from one of the pages, and reads its language.
        words = words_at(urlsplit(request.headers.get("referer", "")).path)
        return PlainTextResponse(in_words(words, error), STATUS)
    safe = "".join(one if one.isalnum() or one in "-_." else "_" for one in name)
    return StreamingResponse(
        _pieces(file, opened), media_type=file.media_type or None,
        headers={"content-disposition": f'attachment; filename="{safe}"'},
    )  # fmt: skip


async def _pieces(file: File[AsyncIterator[bytes]], opened: AsyncExitStack) -> AsyncIterator[bytes]:
    async with opened:
        async for piece in file.pieces:
            yield piece
