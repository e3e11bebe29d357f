"""The key that the owner's pages use is taken back, or the server lost, while a page is open."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.browser.served import ROOT, Process, copied, served
from tests.ui.browser.owning import PASSWORD, at

pytestmark = pytest.mark.slow


@pytest.fixture
def apart(browser, demo, tmp_path):
    """A server, pages in a process of their own, and what takes the pages' key back."""
    project = copied(demo, tmp_path)
    secured = {"ATTUNE_AUTH": "required"}
    server = Process(("serve", str(project)), tmp_path, secured)

    def keys(*words):
        command = [sys.executable, "-m", "ui", "keys", *words, str(project), "--json"]
        own = {**os.environ, "ATTUNE_STORE": server.store}
        done = subprocess.run(command, cwd=ROOT, env=own, check=True, capture_output=True)
        return json.loads(done.stdout)

    with served(server):
        made = keys("add", "--name", "pages", "--scope", "admin")
        place = tmp_path / "pages"
        place.mkdir()
        own = {"ATTUNE_UI_PASSWORD": PASSWORD, "ATTUNE_KEY": made["key"]}
        pages = Process(("ui", "--url", server.url), place, own, ready="/owner/login")
        with served(pages):
            yield server, pages, lambda: keys("revoke", "--id", made["id"])


def test_what_is_wrong_with_the_server_is_said(browser, apart):
    server, pages, revoke = apart
    owner = at(browser, pages.url)
    owner.log_in()
    owner.inside()
    box = owner.tab.get_by_label("Find")
    box.fill("half a thought")
    server.kill()
    owner.press("Refresh")
    owner.told("The shop's server cannot be reached")
    server.start()
    owner.press("Refresh")
    owner.tab.locator("#at-owner-told p:empty").wait_for(state="attached")
    revoke()
    for _ in range(20):  # a running server knows it in seconds
        owner.press("Refresh")
        owner.tab.wait_for_timeout(1_000)
        if owner.text("#at-owner-told"):
            break
    owner.told("has expired, was revoked or lacks the admin scope")
    assert box.input_value() == "half a thought"
    owner.tab.context.close()
