from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ui import wiring
from ui.cli import folder_and_text, main, settings
from ui.errors import UIError

ROOT = Path(__file__).parents[2]

BROKEN = """\
id,name,price,colour
1,Red shirt,10 EUR,red
2,Blue shirt,soon,blue
,Green shirt,12 EUR,green
1,Pink hat,3 EUR,pink
"""


@pytest.fixture
def run():
    def invoke(*args, stdin=None):
        return CliRunner().invoke(main, [str(arg) for arg in args], input=stdin)

    return invoke


@pytest.fixture
def shop_csv(built):
    return built.parent / "shop.csv"


def test_index_prints_mapping_and_facets(run, shop_csv, tmp_path):
    done = run("index", shop_csv, "--out", tmp_path / "p")
    assert done.exit_code == 0
    assert "shop: 12 items, prices in EUR" in done.stdout
    assert "colour" in done.stdout
    assert "indexed 12 items" in done.stdout.splitlines()[-1]
    assert "(12 new)" in done.stdout


def test_index_again_encodes_nothing(run, shop_csv, tmp_path):
    run("index", shop_csv, "--out", tmp_path / "p")
    done = run("index", shop_csv, "--out", tmp_path / "p")
    assert "(12 unchanged)" in done.stdout


def test_index_lists_rejects(run, tmp_path):
    (tmp_path / "broken.csv").write_text(BROKEN)
    done = run("index", tmp_path / "broken.csv", "--out", tmp_path / "p")
    assert done.exit_code == 3
    assert f"3 rejects with row, column and reason: {tmp_path / 'p' / 'rejects.csv'}" in done.stdout
    assert "missing id" in (tmp_path / "p" / "rejects.csv").read_text()


def test_strict_index_refuses_rejects(run, tmp_path):
    (tmp_path / "broken.csv").write_text(BROKEN)
    done = run("index", tmp_path / "broken.csv", "--out", tmp_path / "p", "--strict")
    assert done.exit_code == 1
    assert "missing id" in done.stderr
    assert not (tmp_path / "p").exists()


def test_mapping_overrides_columns(run, shop_csv, tmp_path):
    (tmp_path / "m.toml").write_text('[columns]\ntitle = "brand"\n')
    done = run("index", shop_csv, "--out", tmp_path / "p", "--mapping", tmp_path / "m.toml")
    assert done.exit_code == 0
    assert "title" in done.stdout
    retriever = wiring.open_retriever(tmp_path / "p", settings())
    assert retriever.get_many(["1"])[0].title == "Kestrow"
    retriever.close()


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "is empty"), (b"\x00\x01\xff\xfe" * 300, "binary"), (None, "cannot read")],
    ids=["empty", "binary", "missing"],
)
def test_unusable_file_is_one_line(run, tmp_path, content, told):
    file = tmp_path / "x.csv"
    if content is not None:
        file.write_bytes(content)
    done = run("index", file, "--out", tmp_path / "p")
    assert done.exit_code == 1
    assert told in done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_ask_prints_turn_as_json(run, folder):
    done = run("ask", folder, "blue shirts under 40")
    turn = json.loads(done.stdout)
    assert done.exit_code == 0
    assert [item["id"] for item in turn["items"]] == ["1"]
    assert turn["items"][0]["price"] == 34.95
    assert {"turn_id", "reply", "state", "plan", "timings", "session_id"} <= set(turn)


def test_ask_goes_on_in_a_session(run, folder):
    first = json.loads(run("ask", folder, "shirts").stdout)
    second = json.loads(run("ask", folder, "only green", "--session", first["session_id"]).stdout)
    assert second["session_id"] == first["session_id"]
    assert [item["id"] for item in second["items"]] == ["4"]


def test_ask_prints_text(run, folder):
    done = run("ask", "--text", folder, "blue shirts under 40")
    assert done.stdout.startswith(" 1. Harbour oxford shirt  €34.95\n")
    assert "wishes: blue · shirts" in done.stdout


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["x", "--session", "nope"], "no session 'nope'"),
        (["   "], "the text is empty"),
        (["x", "--llm", "http://localhost:1/v1"], "add --model NAME"),
        (["x", "--model", "m"], "add --llm URL"),
    ],
)
def test_ask_says_what_is_wrong(run, folder, args, told):
    done = run("ask", folder, *args)
    assert done.exit_code == 1
    assert told in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize("command", [["ask", "nowhere", "x"], ["chat", "nowhere"]])
def test_missing_project_says_how_to_index(run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    done = run(*command)
    assert done.exit_code == 1
    assert "attune index" in done.stderr
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [(("hi",), (None, "hi")), (("d", "hi"), (Path("d"), "hi"))],
)
def test_folder_is_optional(words, expected):
    assert folder_and_text(words) == expected


def test_unquoted_text_is_refused(run):
    done = run("ask", "blue", "shirts", "please")
    assert done.exit_code == 2
    assert "quote the text" in done.stderr


def test_chat_reads_a_pipe(run, folder):
    done = run("chat", folder, stdin="blue shirts under 40\n/quit\n")
    assert done.exit_code == 0
    assert " 1. Harbour oxford shirt  €34.95" in done.stdout


def test_chat_resumes_a_session(run, folder):
    session = run("chat", folder, stdin="shirts\n").stdout.split()[-1]
    done = run("chat", folder, "--session", session, stdin="only green\n")
    assert f"Session {session} goes on." in done.stdout
    assert "Fjord linen shirt  €59" in done.stdout


def test_broken_bytes_do_not_end_chat(folder):
    done = subprocess.run(
        [sys.executable, "-m", "ui", "chat", str(folder)],
        input=b"\xff\xfe blue shirts\nblue shirts under 40\n", capture_output=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"Harbour oxford shirt" in done.stdout


def test_demo_is_made_on_first_use(run, home, monkeypatch):
    monkeypatch.setattr(wiring, "make_demo", small_demo)
    monkeypatch.chdir(home.parent)
    first = run("ask", "dresses")
    again = run("ask", "dresses")
    assert "Preparing the demo catalog" in first.stderr
    assert again.stderr == ""
    assert json.loads(again.stdout)["items"]
    assert [path.name for path in home.iterdir()] == [path.name for path in home.glob("demo-*")]


def small_demo(out):
    from retrieval.demo import make_demo

    return make_demo(out, items=120)


def test_indexed_here_is_talked_to(run, shop_csv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("index", shop_csv).exit_code == 0
    done = run("chat", stdin="blue shirts under 40\n")
    assert done.stdout.startswith("Attune · shop · 12 items")
    assert "Harbour oxford shirt" in done.stdout


def test_demo_command_writes_files(run, tmp_path):
    done = run("demo", "--out", tmp_path / "d", "--items", "60")
    assert Path(done.stdout.strip()).is_file()
    assert list((tmp_path / "d" / "images").glob("*.svg"))


def test_evaluate_understanding_as_json(run, shop_csv, tmp_path):
    turn = {"text": "blue shirts", "expect": {"acts": [["recommend", "refine"]], "constraints": [
        {"facet": "category", "in": ["Shirts"]}, {"facet": "colour", "in": ["Blue"]}]}}  # fmt: skip
    labels = tmp_path / "labels.jsonl"
    labels.write_text(json.dumps({"id": "a", "catalog": "shop.csv", "turns": [turn]}) + "\n")
    done = run("evaluate", "understanding", "--labels", labels, "--catalog", shop_csv, "--json")
    report = json.loads(done.stdout)
    assert report["ours"]["state_exact"] == 1.0
    assert report["n"]["turns"] == 1
    assert report["config"]["catalog"] == str(shop_csv)
    assert {"baselines", "hash", "seed"} <= set(report)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("DEADLINE_S", "soon", "ATTUNE_DEADLINE_S='soon'"), ("DEADLINE_S", "0", "greater than 0")],
)
def test_wrong_setting_is_named(monkeypatch, name, value, told):
    monkeypatch.setenv(f"ATTUNE_{name}", value)
    with pytest.raises(UIError, match=told):
        settings()


def test_options_go_before_variables(monkeypatch):
    monkeypatch.setenv("ATTUNE_LLM", "http://a/v1")
    assert settings().llm == "http://a/v1"
    assert settings(llm="http://b/v1", model=None).llm == "http://b/v1"


def test_bug_shows_its_traceback(run, folder, monkeypatch):
    def fail(*_args, **_more):
        raise RuntimeError("a bug")

    monkeypatch.setattr(wiring, "open_project", fail)
    assert isinstance(run("ask", folder, "x").exception, RuntimeError)


def test_help_lists_every_command(run):
    shown = run("--help").stdout
    for name in ("index", "chat", "ask", "serve", "demo", "evaluate"):
        assert f"\n  {name} " in shown
