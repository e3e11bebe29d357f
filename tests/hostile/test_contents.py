"""What an OpenAI client shows of a catalog whose titles and addresses are hostile."""

import re
from dataclasses import replace
from html import unescape
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient
from markdown_it import MarkdownIt

from agent.server import create_app
from agent.store import Store
from tests.hostile.attacks import Attack
from tests.hostile.world import make_world

RENDERER = MarkdownIt("commonmark", {"html": True, "linkify": True})
RENDERER.enable(["table", "strikethrough", "linkify"])
RENDERER.linkify.set({"fuzzy_link": False})
QUIET = Attack("quiet", "user name", "promote", "plain", "zz")
GOOD = "https://shop.example/a_(b)?q=[1]&x=*y*"


@pytest.fixture(scope="module")
def content_of(tmp_path_factory):
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('contents')}/sessions.db")
    world = make_world(QUIET, store)
    client = TestClient(create_app(world.parts))

    def ask(title, url):
        world.shop.items["1"] = replace(world.shop.items["1"], title=title, url=url)
        said = [{"role": "user", "content": "blue shirts under 40"}]
        answer = client.post("/v1/chat/completions", json={"model": "attune", "messages": said})
        return answer.json()["choices"][0]["message"]["content"]

    yield ask
    store.close()


def links(content):
    page = RENDERER.render(content)
    assert not re.search(r"<(?!/?(?:p|br|ol|ul|li|a|strong|em)[ >/])", page), page
    return re.findall(r'href="([^"]*)"', page), page


@pytest.mark.parametrize(
    "title",
    ["Shirt [x](http://evil.example) blue", "Shirt ](http://evil.example) [a", "Shirt](x) <b>y</b>",
     "Shirt <script>alert(1)</script>", "Shirt ![x](http://evil.example/p.png)",
     "Shirt http://evil.example www.evil.example", "Shirt `a` **b** \\[c", "Shirt\n\n# Big\n---"],
)  # fmt: skip
def test_title_makes_no_link(content_of, title):
    found, _ = links(content_of(title, GOOD))
    assert found
    assert {unquote(unescape(link)) for link in found} == {GOOD}


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "http://user@evil.example", "//evil.example",
            "https://a.example/) [x](http://evil.example", 'https://a.example/" onclick="x'],
)  # fmt: skip
def test_bad_address_is_no_link(content_of, url):
    found, page = links(content_of("Alto men blue cotton shirt", url))
    assert found == []
    assert "Alto men blue cotton shirt" in page
