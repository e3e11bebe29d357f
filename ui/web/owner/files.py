"""Files that the owner saves from the pages, passed on from the API piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import PurePosixPath

from fastapi import FastAPI
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from agent.client.values import File
from ui.web.api import Api, ApiError
from ui.web.owner.desk import in_words
from ui.web.owner.login import PATH

STATUS = 502


def add_files(app: FastAPI, api: Api) -> None:
    """Add the files to an app that has the door before them (`ui.web.owner.login`)."""

    @app.get(f"{PATH}/files/never-shown.csv", include_in_schema=False)
    async def never_shown() -> Response:
        return await _passed_on(api, "/v1/owner/catalog/never-shown.csv", {}, "never-shown.csv")

    @app.get(f"{PATH}/files/pairs", include_in_schema=False)
    async def pairs(name: str, file: str) -> Response:
        given = {"name": name, "file": file}
        return await _passed_on(api, "/v1/owner/pairs/file", given, PurePosixPath(file).name)


async def _passed_on(api: Api, path: str, given: dict[str, str], name: str) -> Response:
    opened = AsyncExitStack()
    try:
        file = await opened.enter_async_context(api.download(path, given))
    except ApiError as error:
        return PlainTextResponse(in_words(error), STATUS)
    safe = "".join(one if one.isalnum() or one in "-_." else "_" for one in name)
    return StreamingResponse(
        _pieces(file, opened), media_type=file.media_type or None,
        headers={"content-disposition": f'attachment; filename="{safe}"'},
    )  # fmt: skip


async def _pieces(file: File[AsyncIterator[bytes]], opened: AsyncExitStack) -> AsyncIterator[bytes]:
    async with opened:
        async for piece in file.pieces:
            yield piece
