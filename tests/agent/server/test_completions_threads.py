"""Conversations sent whole: they give the same answers as a session, and reach nobody else's."""

import gzip
import json
import threading
import time
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from agent.access.keyring import Keyring
from agent.desk import Attended
from agent.errors import StoreError
from agent.exploring import Explore
from agent.server import completions_thread
from agent.server.completions_thread import MOST_REPLAYED
from tests.agent.server.asking import URL, ids, messages_of, thread, words
from tests.agent.server.test_turns import SlowPlanner

SHARED = Path(__file__).parents[4] / "shared" / "data"
DATA = Path(__file__).parents[3] / "finetune" / "data"
SAID = (
    "blue shirts", "red shoes under 80", "something black", "cheaper", "more", "the second one",
    "not leather", "undo", "why the first one?", "compare the first two", "like the first but red",
    "anything but Alto", "start over", "what is your return policy?", "thanks", "under 40",
    "I don't like the first one", "is the second one cotton?", "the best rated", "👍",
    "shirts, or shoes?",
)  # fmt: skip


def conversations(count, seed=0):
    chance = Random(seed)
    return [[chance.choice(SAID) for _ in range(chance.randint(2, 8))] for _ in range(count)]


def stateless(ask, texts, **fields):
    """Return the answers to a conversation of which all is sent each time."""
    history, answers = [], []
    for text in texts:
        answers.append(ask(*history, text, **fields))
        history += [text, words(answers[-1])]
    return answers


def stateful(ask, client, texts):
    session = client.post("/v1/sessions").json()["id"]
    return [ask(text, attune={"session_id": session}) for text in texts]


def told(answer):
    turn = answer["attune"]
    return words(answer), ids(answer), turn["state"], turn["plan"], turn["relaxations"]


def test_stateless_and_stateful_agree(ask, client):
    for texts in conversations(25):
        alone, kept = stateless(ask, texts), stateful(ask, client, texts)
        assert list(map(told, alone)) == list(map(told, kept)), texts


def test_labelled_conversations_agree(ask, client):
    lines = (DATA / "understanding_dev.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines[:15]):
        texts = [turn["text"] for turn in row["turns"]]
        alone, kept = stateless(ask, texts), stateful(ask, client, texts)
        assert list(map(told, alone)) == list(map(told, kept)), texts


def real_conversations(count):
    """Return what people said to assistants, where the shared data is here."""
    for name in ("taskmaster4_sample", "crsarena_closed"):
        path = SHARED / f"dialogs_{name}.jsonl.gz"
        if not path.exists():
            pytest.skip("the shared data is not here")
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for row in map(json.loads, islice(file, count)):
                turns = (one if isinstance(one, list) else one.values() for one in row["turns"])
                said = [text for role, text in turns if role == "user" and text.strip()]
                if said:
                    yield said


@pytest.mark.slow
def test_real_conversations_agree(ask, client):
    for texts in real_conversations(60):
        alone, kept = stateless(ask, texts), stateful(ask, client, texts)
        assert list(map(told, alone)) == list(map(told, kept)), texts


def test_full_disk_after_the_turn_loses_no_answer(ask, parts, monkeypatch):
    def full(*given):
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(parts.store.threads, "put", full)
        first = ask("blue shirts")
    assert ids(first)
    assert thread(ask("blue shirts", words(first), "under 34.50")) == "replayed"


def test_conversation_stays_in_one_session(ask, client):
    answers = stateless(ask, ["blue shirts", "under 40", "why the first?", "under 34.50"])
    assert [thread(one) for one in answers] == ["new", *["continued"] * 3]
    (session,) = {one["attune"]["session_id"] for one in answers}
    assert len(client.get(f"/v1/sessions/{session}").json()["turns"]) == 4


def test_clients_may_trim_and_drop(ask):
    first = ask("blue shirts")
    answer = ask(
        {"role": "system", "content": "It is Monday."},
        {"role": "user", "content": [{"type": "text", "text": " blue shirts\n"}]},
        {"role": "assistant", "content": words(first) + "\n", "name": "shop", "refusal": None},
        {"role": "user", "content": "under 34.50"},
    )
    assert thread(answer) == "continued"


def test_same_request_again_gives_same_answer(client_of, parts):
    client = client_of(parts={"policy": Explore(0.9)})
    body = {"messages": messages_of("shoes")}
    first = client.post(URL, json=body).json()
    body = {"messages": messages_of("shoes", words(first), "something red")}
    answers = [client.post(URL, json=body).json() for _ in range(4)]
    assert [thread(one) for one in answers] == ["continued", "again", "again", "again"]
    for one in answers:
        assert one["choices"] == answers[0]["choices"]
        assert one["attune"]["turn_id"] == answers[0]["attune"]["turn_id"]
    assert len(parts.store.turns(first["attune"]["session_id"])) == 2


def test_edited_question_goes_on_in_a_copy(ask, client):
    first = ask("blue shirts", user="ann")
    kept = ask("blue shirts", words(first), "under 34.50", user="ann")
    other = ask("blue shirts", words(first), "linen only", user="ann")
    assert thread(other) == "forked"
    assert other["attune"]["session_id"] != first["attune"]["session_id"]
    assert "7" in ids(other)
    constraints = {one["facet"] for one in other["attune"]["state"]["need"]["constraints"]}
    assert "price" not in constraints
    turns = client.get(f"/v1/sessions/{other['attune']['session_id']}").json()["turns"]
    assert [turn["utterance"] for turn in turns] == ["blue shirts", "linen only"]
    assert turns[0]["reply"] == first["attune"]["reply"]
    both = (
        ["blue shirts", words(first), "under 34.50", words(kept)],
        ["blue shirts", words(first), "linen only", words(other)],
    )
    assert [thread(ask(*said, "thanks", user="ann")) for said in both] == ["continued"] * 2


def test_copy_is_deleted_with_its_user(ask, client):
    first = ask("blue shirts", user="ann")
    for text in ("under 34.50", "linen only"):
        ask("blue shirts", words(first), text, user="ann")
    assert client.delete("/v1/users/ann").json()["sessions"] == 2


def test_copy_can_be_exported_and_imported(ask, parts, tmp_path):
    first = ask("blue shirts")
    for text in ("under 34.50", "linen only"):
        ask("blue shirts", words(first), text)
    sessions = list(parts.store.logged())
    other = type(parts.store)(f"sqlite:///{tmp_path}/other.db")
    assert [other.add_session(one) for one in sessions] == [True, True]
    assert list(other.logged()) == sessions
    other.close()


def test_edited_answer_is_taken_again(ask):
    answer = ask("blue shirts", "We only sell red ones, all for free.", "under 34.50")
    assert answer["attune"]["history"] == {"thread": "replayed", "replayed": 1, "left_out": 0}
    assert told(answer) == told(stateless(ask, ["blue shirts", "under 34.50"])[-1])


def test_replay_begins_after_what_is_known(ask, client):
    known = stateless(ask, ["blue shirts", "under 40"])
    said = [
        "blue shirts",
        words(known[0]),
        "under 40",
        words(known[1]),
        "linen",
        "Changed.",
        "thanks",
    ]
    answer = ask(*said)
    assert answer["attune"]["history"]["replayed"] == 1
    turns = client.get(f"/v1/sessions/{answer['attune']['session_id']}").json()["turns"]
    assert [one["utterance"] for one in turns] == ["blue shirts", "under 40", "linen", "thanks"]
    assert turns[1]["reply"] == known[1]["attune"]["reply"]


def test_replayed_conversation_agrees_with_session(ask, client, parts):
    for texts in conversations(12, seed=1):
        kept = stateful(ask, client, texts)
        history = [
            one for text, answer in zip(texts, kept, strict=True) for one in (text, words(answer))
        ]
        answer = ask(*history[:-1])
        assert told(answer)[:3] == told(kept[-1])[:3], texts


def test_replay_shows_nobody_anything(ask, parts):
    ask("blue shirts", "Something else.", "under 34.50")
    (session,) = parts.store.logged()
    assert len(session.turns) == 2
    assert [slate.turn_id for slate in session.slates] == [session.turns[1].id]


def test_replay_does_nothing_twice(client_of):
    seen = []

    class Desk:
        def attend(self, request):
            seen.append(request.utterance)
            return Attended(request.utterance, request.state.desk)

        def conclude(self, request, attended, outcome):
            return attended

    client = client_of(parts={"desk": Desk()})
    body = {"messages": messages_of("cancel my order", "Sure?", "yes", "Done.", "blue shirts")}
    assert client.post(URL, json=body).status_code == 200
    assert seen == ["blue shirts"]


def long_history(count):
    said = [f"{SAID[place % len(SAID)]} {place}" for place in range(count)]
    return [one for text in said for one in (text, "Something that was never said here.")]


def test_long_unknown_history_is_bounded(ask):
    answer = ask(*long_history(500), "blue shirts under 34.50")
    assert answer["attune"]["history"] == {
        "thread": "replayed", "replayed": MOST_REPLAYED, "left_out": 500 - MOST_REPLAYED,
    }  # fmt: skip
    assert words(answer)


def test_long_known_history_is_found(ask):
    history = long_history(500)
    answer = ask(*history, "start over")
    history += ["start over", words(answer)]
    answer = ask(*history, "blue shirts under 34.50")
    assert thread(answer) == "continued"
    assert ids(answer) == ["7"]


def test_too_many_messages_are_refused(ask):
    error = ask(*["x"] * 10_001, status=400)["error"]
    assert error["param"] == "messages"
    assert "at most 10000" in error["message"]


def test_slow_model_is_not_asked_for_ever(client_of, monkeypatch):
    class Counting(SlowPlanner):
        asked = 0

        def plan(self, request):
            type(self).asked += 1
            self.go.set()
            return super().plan(request)

    monkeypatch.setattr(completions_thread, "REPLAY_S", -1.0)
    client = client_of(parts={"planner": Counting()})
    body = {"messages": messages_of(*long_history(30), "blue shirts")}
    assert client.post(URL, json=body).json()["attune"]["history"]["replayed"] == 30
    assert Counting.asked == 1


@pytest.fixture
def keyed(client, parts):
    """Ask with one of two API keys of the same tenant."""
    keyring = Keyring(parts.store.database)
    keys = {name: keyring.add(name, ["chat"])[1] for name in ("a", "b")}
    client.app.state.tenants["default"].keys._read = None  # the server reads its keys anew

    def ask(key, *said, status=200, **fields):
        headers = {"authorization": f"Bearer {keys.get(key, key)}"}
        body = {"messages": messages_of(*said), **fields}
        response = client.post(URL, json=body, headers=headers)
        assert response.status_code == status, response.text
        return response.json()

    return ask


def test_other_keys_and_users_begin_anew(keyed):
    first = keyed("a", "blue shirts", user="ann")
    said = ("blue shirts", words(first), "under 34.50")
    assert thread(keyed("b", *said, user="ann")) == "replayed"
    assert thread(keyed("a", *said, user="bob")) == "replayed"
    assert thread(keyed("a", *said)) == "replayed"
    assert thread(keyed("a", *said, user="ann")) == "continued"


def test_wrong_keys_have_the_shape(keyed):
    error = keyed("att_default_000000000000_" + "x" * 43, "hi", status=401)["error"]
    assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
    assert set(error) == {"message", "type", "param", "code"}


def test_same_words_of_two_people_stay_apart(ask, client):
    """Without `user` nothing tells two people apart who say the same; neither sees the other."""
    first, second = ask("blue shirts"), ask("blue shirts")
    assert first["attune"]["session_id"] != second["attune"]["session_id"]
    said = ("blue shirts", words(first))
    told = ask(*said, "under 34.50, for Ann"), ask(*said, "linen, for Bob")
    sessions = [one["attune"]["session_id"] for one in (first, second, *told)]
    assert len(set(sessions)) == 4
    turns = client.get(f"/v1/sessions/{sessions[0]}").json()["turns"]
    assert [turn["utterance"] for turn in turns] == ["blue shirts"]


def test_deleted_session_is_replayed(ask, client):
    first = ask("blue shirts")
    client.delete(f"/v1/sessions/{first['attune']['session_id']}")
    answer = ask("blue shirts", words(first), "under 34.50")
    assert (thread(answer), ids(answer)) == ("replayed", ["7"])


def test_two_questions_at_once_do_not_mix(client_of):
    planner = SlowPlanner()
    planner.go.set()
    client = client_of(parts={"planner": planner})
    first = client.post(URL, json={"messages": messages_of("blue shirts")}).json()
    planner.go.clear()
    planner.entered.clear()
    answers = {}

    def send(text):
        body = {"messages": messages_of("blue shirts", words(first), text)}
        answers[text] = client.post(URL, json=body).json()

    threads = [
        threading.Thread(target=send, args=(text,)) for text in ("under 34.50", "linen only")
    ]
    with client:  # one event loop for all requests, as a server has
        for one in threads:
            one.start()
            assert planner.entered.wait(20)
        time.sleep(0.3)  # until the second waits for the first
        planner.go.set()
        for one in threads:
            one.join()
    assert sorted(map(thread, answers.values())) == ["continued", "forked"]
    for answer in answers.values():
        assert answer["attune"]["state"]["turn"] == 2
