"""`attune ui`: the shop in the browser, over a project here or a server elsewhere."""

from __future__ import annotations

import secrets
from pathlib import Path

import click
from pydantic import SecretStr

from ui.errors import UIError
from ui.settings import Settings


def serve_pages(
    folder: Path | None, settings: Settings, host: str, port: int, url: str | None, key: str
) -> None:
    """Serve the pages until told to stop.

    Args:
        url: Of a running server; without one the API is served by this process too, beside them.
        key: Of that server: with the scopes chat and feedback, and admin for the owner's pages.
    """
    try:
        from ui.web.api import Api
        from ui.web.app import mount_pages
    except ModuleNotFoundError as error:
        raise UIError(
            f"{error.name!r} is not installed; pip install 'attune[ui]', or make ui"
        ) from error
    from ui import serving

    if url is not None and folder is not None:
        raise UIError("a project directory and --url were both given; expected one of them")
    if url is not None:
        from fastapi import FastAPI

        app, api = FastAPI(openapi_url=None), Api(url, key)
    else:
        from ui import wiring

        own = with_operator_key(settings)
        assert own.admin_key is not None
        app = wiring.make_app(folder, own, host)
        here = "127.0.0.1" if host in ("0.0.0.0", "::", "localhost") else host
        api = Api(f"http://{here}:{port}", own.admin_key.get_secret_value())
    owner = settings.ui_password.get_secret_value() if settings.ui_password else None
    app = mount_pages(app, api, owner=owner)
    shown = "127.0.0.1" if host == "0.0.0.0" else host
    click.echo(f"The shop is at http://{shown}:{port}/ (stop with Ctrl-C)", err=True)
    serving.run(app, settings, host, port)


def with_operator_key(settings: Settings) -> Settings:
    """Return the settings with a key for the operator; where none is set, of this process only."""
    if settings.admin_key is not None:
        return settings
    return settings.model_copy(update={"admin_key": SecretStr(secrets.token_urlsafe(32))})
