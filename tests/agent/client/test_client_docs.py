"""The examples of docs/client.md are run against a server, as they stand there."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[3] / "docs/client.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize("place", range(len(EXAMPLES)))
def test_example_runs(whole, capsys, place):
    code = EXAMPLES[place].replace("http://localhost:8000", whole.url).replace("att_…", whole.key)
    assert code.count(whole.key) == 1
    exec(compile(code, f"docs/client.md, example {place + 1}", "exec"), {"__name__": "example"})
    assert capsys.readouterr().out.strip()


def test_examples_are_found():
    assert len(EXAMPLES) == PAGE.count("```python") >= 4
