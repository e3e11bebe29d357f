import json
import shutil

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from ui import wiring
from ui.cli import main
from ui.settings import Settings


@pytest.fixture
def run():
    def invoke(*args):
        return CliRunner().invoke(main, ["keys", *map(str, args)])

    return invoke


def test_added_key_is_shown_once(run, folder):
    done = run("add", folder, "--name", "web", "--scope", "chat", "--expires", "90d")
    assert done.exit_code == 0
    key = done.stdout.strip()
    assert key.startswith("att_default_")
    assert "not shown again" in done.stderr
    listed = run("list", folder)
    assert key.split("_", 3)[3] not in listed.output
    assert key.split("_")[2] in listed.stdout
    assert "chat" in listed.stdout
    assert "until " in listed.stdout


def test_json_has_all_but_the_secret(run, folder):
    done = run("add", folder, "--name", "all", "--scope", "chat", "--scope", "admin", "--json")
    made = json.loads(done.stdout)
    listed = json.loads(run("list", folder, "--json").stdout)["keys"]
    assert made.pop("key").startswith("att_default_")
    assert listed == [{**made, "tokens_today": 0}]
    assert made["scopes"] == ["chat", "admin"]


def test_revoked_key_is_listed_as_such(run, folder):
    made = json.loads(
        run("add", folder, "--name", "web", "--scope", "chat", "--json").stdout
    )  # fmt: skip
    assert run("revoke", folder, "--id", made["id"]).stdout == f"revoked {made['id']} (web)\n"
    assert "revoked" in run("list", folder).stdout
    unknown = run("revoke", folder, "--id", "nope")
    assert (unknown.exit_code, "no key 'nope' is stored" in unknown.stderr) == (1, True)


def test_key_opens_the_served_project(run, folder):
    key = run("add", folder, "--name", "web", "--scope", "chat").stdout.strip()
    with TestClient(wiring.make_app(folder, Settings())) as client:
        assert client.get("/v1/models").status_code == 401
        own = {"Authorization": f"Bearer {key}"}
        session = client.post("/v1/sessions", headers=own).json()["id"]
        said = {"text": "blue shirts"}
        assert client.post(f"/v1/sessions/{session}/turns", json=said, headers=own).is_success
    listed = json.loads(run("list", folder, "--json").stdout)["keys"]
    assert listed[0]["tokens_today"] > 5


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [(["--name", "x"], 2, "--scope"), (["--scope", "chat"], 2, "--name"),
     (["--name", "x", "--scope", "root"], 2, "root"),
     (["--name", "x", "--scope", "chat", "--expires", "soon"], 1, "12h, 90d, 2w"),
     (["--name", " ", "--scope", "chat"], 1, "needs a name"),
     (["--name", "x", "--scope", "chat", "--tenant", "a"], 1, "--tenants FILE with --tenant")],
)  # fmt: skip
def test_wrong_options_make_no_key(run, folder, args, status, said):
    done = run("add", folder, *args)
    assert (done.exit_code, said in done.stderr) == (status, True), done.stderr
    assert run("list", folder).stdout == ""


@pytest.mark.parametrize(
    ("auth", "host", "expected"),
    [("auto", None, ("auto", False)), ("auto", "127.0.0.1", ("auto", True)),
     ("auto", "::1", ("auto", True)), ("auto", "localhost", ("auto", True)),
     ("auto", "0.0.0.0", ("required", False)), ("auto", "shop.example", ("required", False)),
     ("open", "0.0.0.0", ("open", False)), ("required", "127.0.0.1", ("required", False))],
)  # fmt: skip
def test_keys_are_needed_where_others_can_call(auth, host, expected):
    from ui.access_wiring import rules_of

    rules = rules_of(Settings(auth=auth, admin_key="k"), host)
    assert (rules.auth, rules.local_only) == expected
    assert rules.operator_key == "k"
    assert "'k'" not in repr(rules)


def test_settings_become_limits():
    from ui.access_wiring import capacity_of, limits_of

    given = Settings(
        rate_key="5/second", tokens_tenant=7, origins="https://a.example, http://localhost:3000",
        body_bytes=2048, request_s=9, turns_at_once=3, threads=2, wait_s=4,
    )  # fmt: skip
    limits = limits_of(given)
    assert (limits.rate_key, limits.tokens.tenant, limits.body_bytes) == ("5/second", 7, 2048)
    assert limits.origins == ("https://a.example", "http://localhost:3000")
    taken = capacity_of(given)
    assert (taken.request_s, taken.turns, taken.at_once, taken.wait_s) == (9, 3, 2, 4)


@pytest.mark.parametrize(
    ("name", "value"), [("ORIGINS", "shop.example"), ("RATE_KEY", "often"),
                        ("LIMITS_STORAGE", "nowhere://x")],
)  # fmt: skip
def test_wrong_settings_end_the_start(folder, monkeypatch, name, value):
    monkeypatch.setenv(f"ATTUNE_{name}", value)
    done = CliRunner().invoke(main, ["serve", str(folder), "--port", "0"])
    assert done.exit_code == 1
    assert value.partition(":")[0] in done.stderr


def test_copied_project_keeps_its_keys(run, folder, tmp_path):
    run("add", folder, "--name", "web", "--scope", "chat")
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert run("list", copy).stdout == run("list", folder).stdout != ""
