"""The pages mounted over the API: what answers where, and who gets in."""

import asyncio
import gc

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

pytest.importorskip("gradio")

from agent.dialogue import Parts
from agent.linking import Linker
from agent.planner import RulePlanner
from agent.server import create_app
from agent.store import Store
from ui.cli import main
from ui.pages import with_operator_key
from ui.settings import Settings
from ui.web.api import Api
from ui.web.app import mount_pages
from ui.web.shop import path_of

# Gradio's own: deprecations, and sockets of event loops that it leaves to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True, scope="module")
def own_loop():
    """Give Gradio an event loop to take, and close it: it would leave one of its own open.

    Nor does it look for a notebook, which it imports from several threads at once.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradio.utils.colab_check", lambda: False)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        yield
        asyncio.set_event_loop(None)
        loop.close()
    gc.collect()


@pytest.fixture(scope="module")
def client(catalog, tmp_path_factory):
    """Pages that are only looked at; somebody logs in."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "a.svg").write_text("<svg/>")
    store = Store(f"sqlite:///{folder}/sessions.db")
    parts = Parts(store, catalog, Linker.build(catalog), RulePlanner(catalog.facets))
    app = create_app(parts, pictures=folder)
    api = Api("http://shop.test", transport=_over(app))
    with TestClient(mount_pages(app, api, owner="open sesame")) as client:
        yield client
    store.close()


def _over(app):
    import httpx

    return httpx.ASGITransport(app)


@pytest.mark.parametrize(("path", "says"), [("/", "Attune"), ("/zh/", "您想找什么")])
def test_each_language_has_its_page(client, path, says):
    response = client.get(path)
    assert response.status_code == 200
    assert says in response.text or says.encode("unicode_escape").decode() in response.text


def test_api_stays_beside_the_pages(client):
    assert client.get("/v1/facets").json()["items"] > 0
    assert client.get("/health").json() == {"status": "ok"}


def test_pictures_are_passed_on(client):
    response = client.get("/pictures/a.svg")
    assert (response.status_code, response.text) == (200, "<svg/>")
    assert "sandbox" in response.headers["content-security-policy"]
    assert client.get("/pictures/none.svg").status_code == 404


def test_owner_is_let_in_by_password(client):
    browser = {"accept": "text/html"}
    assert "Latest conversations" not in client.get("/owner/", headers=browser).text
    assert client.get("/owner/gradio_api/info").status_code == 401
    wrong = client.post("/owner/login", data={"password": "wrong"})
    assert wrong.status_code == 401
    assert "not the password" in wrong.json()["error"]["message"]
    right = client.post("/owner/login", data={"password": "open sesame"}, headers=browser)
    assert "at-owner-tabs" in right.text


def test_without_password_there_are_no_owners_pages(catalog, store):
    parts = Parts(store, catalog, Linker.build(catalog), RulePlanner(catalog.facets))
    app = create_app(parts)
    with TestClient(mount_pages(app, Api("http://x", transport=_over(app)))) as client:
        assert "at-owner-tabs" not in client.get("/owner/").text


def test_page_loads_nothing_from_elsewhere(client):
    page = client.get("/").text
    for elsewhere in ("fonts.googleapis", "cdn.", "gradio.live", "unpkg", "jsdelivr"):
        assert elsewhere not in page


def test_languages_have_paths():
    assert [path_of(one) for one in ("en", "zh")] == ["/", "/zh/"]


def test_operator_key_is_made_where_none_is_set():
    first, second = with_operator_key(Settings()), with_operator_key(Settings())
    assert first.admin_key.get_secret_value() != second.admin_key.get_secret_value()
    own = Settings(admin_key="mine")
    assert with_operator_key(own) is own


def test_project_and_url_exclude_each_other(tmp_path):
    done = CliRunner().invoke(main, ["ui", str(tmp_path), "--url", "http://x.example"])
    assert done.exit_code == 1
    assert "expected one of them" in done.output
