import json
from collections import Counter

import pytest

from agent.plan import Act
from finetune.errors import DataError
from finetune.pairs.keys import key_of
from finetune.pairs.make import REFUSED, PairsConfig, held_people, make_pairs, write_folder
from finetune.pairs.rows import read_pairs, read_unpaired
from tests.finetune.pairs.test_merging import label, pair

WANT = Act(act="refine", want=("V1",))
FEW = PairsConfig(least=1)
SLATES = (("d1", "d2", "d3"), ("d3", "d1", "d2"), ("d2", "d3", "d1"), ("t3", "d1", "d2"))


def user(talk, n: int, **given):
    """Return what one user did: a choice, and a misread turn corrected."""
    one = talk(id=f"session-{n}", user=f"user-{n}")
    slate = SLATES[n % len(SLATES)]
    one.says("dresses", shows=slate).does("click", slate[2], **given)
    one.says("anything but red", WANT, shows=("d1",))
    return one.says("I meant not red", shows=("d2", "d3"))


@pytest.fixture
def people(talk):
    return [user(talk, n).session for n in range(12)]


def made_of(sessions, retriever, config=FEW):
    return make_pairs(iter(sessions), retriever, config)


def test_folder_holds_all_that_was_made(people, retriever, tmp_path):
    made = made_of(people, retriever)
    write_folder(tmp_path / "pairs", made)
    names = {path.name for path in (tmp_path / "pairs").iterdir()}
    assert names == {"train.jsonl", "held.jsonl", "kto_train.jsonl", "kto_held.jsonl",
                     "lineage.jsonl", "report.json"}  # fmt: skip
    report = json.loads((tmp_path / "pairs" / "report.json").read_text())
    for side in ("train", "held"):
        rows = read_pairs(tmp_path / "pairs" / f"{side}.jsonl")
        assert Counter(row.kind for row in rows) == Counter(report["pairs"][side])
        alone = read_unpaired(tmp_path / "pairs" / f"kto_{side}.jsonl")
        assert Counter(row.kind for row in alone) == Counter(report["kto"][side])
    assert report["pairs"]["train"]["plan"] == 1
    assert (report["sessions"], report["people"]) == (12, 12)


def test_nobody_is_on_both_sides(people, retriever, tmp_path):
    write_folder(tmp_path / "pairs", made_of(people, retriever))
    lines = map(json.loads, (tmp_path / "pairs" / "lineage.jsonl").read_text().splitlines())
    sides = {}
    for line in lines:
        sides.setdefault(line["user"], set()).add("held" in line["file"])
    assert len(sides) == 12
    assert all(len(side) == 1 for side in sides.values())


def test_lineage_leads_back_to_the_events(people, retriever, tmp_path):
    write_folder(tmp_path / "pairs", made_of(people, retriever))
    lines = [json.loads(x) for x in (tmp_path / "pairs" / "lineage.jsonl").read_text().splitlines()]
    own = [line for line in lines if line["user"] == key_of("user-3")]
    assert {line["session"] for line in own} == {key_of("session-3")}
    assert ["session-3-e1"] in [line["events"] for line in own]
    ids = {line["id"] for line in lines}
    assert {row.id for row in read_pairs(tmp_path / "pairs" / "train.jsonl")} <= ids


def test_no_id_of_a_person_is_written(people, retriever, tmp_path):
    write_folder(tmp_path / "pairs", made_of(people, retriever))
    for path in (tmp_path / "pairs").iterdir():
        assert "user-" not in path.read_text()


def test_same_sessions_give_the_same_folder(people, retriever, tmp_path):
    for name, order in (("a", people), ("b", people)):
        write_folder(tmp_path / name, made_of(order, retriever))
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    again = made_of(people, retriever, PairsConfig(least=1, seed=5)).report
    assert again["hash"] != json.loads((tmp_path / "a" / "report.json").read_text())["hash"]


def test_refusing_to_be_learned_from_is_respected(talk, retriever):
    sessions = [user(talk, n, consent=n != 3).session for n in range(6)]
    made = made_of(sessions, retriever)
    rows = [one for side in (made.train, made.held)
            for one in (*side.pairs.rows, *side.unpaired.rows)]  # fmt: skip
    keys = {source.user for one in rows for source in one.sources}
    assert keys == {key_of(f"user-{n}") for n in range(6) if n != 3}
    assert made.report["dropped"]["choice"][REFUSED] == 1


def test_too_few_pairs_says_how_many_are_needed(people, retriever):
    with pytest.raises(DataError) as error:
        made_of(people[:2], retriever, PairsConfig())
    assert "2 sessions of 2 people" in str(error.value)
    assert "(1 plan, 1 choice, 0 explanation), at least 20 are needed" in str(error.value)


def test_unpaired_rows_will_do_where_asked(talk, retriever, tmp_path):
    sessions = []
    for n in range(5):
        one = talk(id=f"s{n}", user=f"u{n}").says("dresses", shows=("d1", "d2"))
        sessions.append(one.does("click", "d1").session)
    with pytest.raises(DataError, match="0 pairs to train on"):
        made_of(sessions, retriever, PairsConfig(least=1))
    made = made_of(sessions, retriever, PairsConfig(least=1, unpaired=True))
    write_folder(tmp_path / "pairs", made)
    assert not (tmp_path / "pairs" / "train.jsonl").exists()


def test_explored_choices_weigh_one_on_average(talk, retriever):
    sessions = []
    for n, chance in enumerate((0.9, 0.9, 0.9, 0.05)):
        one = talk(id=f"s{n}", user=None).says(f"dresses under {60 + n}", shows=("d1", "d2"))
        sessions.append(one.draws("explore:0.1", d2=chance).does("purchase", "d2").session)
    made = made_of(sessions, retriever)
    sources = [row for side in (made.train, made.held) for one in side.pairs.rows
               for row in one.sources]  # fmt: skip
    weights = sorted(row.weight for row in sources)
    assert sum(weights) == pytest.approx(4)
    assert weights[-1] / weights[0] == pytest.approx(20 / (2 / 0.9))
    assert made.report["weights"]["explored"] == 4


@pytest.mark.parametrize("share", [0.2, 0.5, 0.001, 0.899])
def test_both_sides_have_pairs(share):
    rows = [pair("a", "b", f"u{n}") for n in range(8)]
    alone = [label("a", True, f"v{n}") for n in range(8)]
    held = held_people(rows, alone, PairsConfig(held_share=share))
    own = {f"u{n}" for n in range(8)}
    assert held & own
    assert own - held


def test_sides_do_not_depend_on_who_else_is_there():
    rows = [pair("a", "b", f"u{n}") for n in range(200)]
    held = held_people(rows, [], PairsConfig())
    assert 20 < len(held) < 60
    assert held_people(rows[:100], [], PairsConfig()) == held & {f"u{n}" for n in range(100)}


def test_none_is_held_out_without_a_share():
    assert not held_people(
        [pair("a", "b", f"u{n}") for n in range(9)], [], PairsConfig("plan@2", 0, 0)
    )


def test_folder_of_something_else_is_left_alone(people, retriever, tmp_path):
    made = made_of(people, retriever)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"no folder of pairs: name another"):
        write_folder(tmp_path / "mine", made)
    write_folder(tmp_path / "pairs", made)
    write_folder(tmp_path / "pairs", made_of(people[:4], retriever))
    assert json.loads((tmp_path / "pairs" / "report.json").read_text())["sessions"] == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "pairs"]
