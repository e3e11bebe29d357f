"""The door of the owner's pages: who is let in, for how long, and what is said to the others."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ui.web.owner.login import COOKIE, GUESSES, LASTS_S, Door, add_login

PAGE = {"accept": "text/html"}
WORD = "sésame open"


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def client():
    app = FastAPI()
    add_login(app, WORD)

    @app.get("/owner/")
    def page():
        return "the pages"

    @app.post("/owner/gradio_api/queue/join")
    def join():
        return "joined"

    @app.get("/shop")
    def shop():
        return "the shop"

    with TestClient(app) as client:
        yield client


def test_page_leads_to_the_login(client):
    response = client.get("/owner/", headers=PAGE, follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/owner/login")
    assert "<title>" in client.get("/owner/login").text
    assert client.get("/shop").json() == "the shop"


@pytest.mark.parametrize("path", ["/owner", "/owner/", "/owner/gradio_api/info", "/owner/x/../"])
def test_nothing_is_told_before_the_login(client, path):
    assert "Your login has ended." in client.get(path).json()["error"]["message"]
    assert client.post("/owner/gradio_api/queue/join").status_code == 401


def test_password_opens_and_logout_shuts(client):
    assert client.post("/owner/login", data={"password": WORD}).status_code == 204
    assert client.get("/owner/").json() == "the pages"
    assert client.get("/owner/login", follow_redirects=False).status_code == 303
    assert "Password" in client.post("/owner/logout", headers=PAGE).text
    assert client.get("/owner/").status_code == 401


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(client):
    cookie = client.post("/owner/login", data={"password": WORD}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/owner" in cookie
    assert WORD not in cookie


def test_wrong_password_is_said_without_telling_it(client):
    plain = client.post("/owner/login", data={"password": "<b>guess"})
    assert plain.status_code == 401
    page = client.post("/owner/login", data={"password": "<b>guess"}, headers=PAGE)
    assert page.status_code == 401
    assert "That is not the password" in page.text
    assert "guess" not in page.text


@pytest.mark.parametrize("body", [b"", b"password=", b"\xff\xfe", b"password=" + b"x" * 100_000])
def test_odd_forms_are_refused(client, body):
    assert client.post("/owner/login", content=body).status_code == 401


def test_too_many_guesses_wait(client):
    for _ in range(GUESSES):
        assert client.post("/owner/login", data={"password": "guess"}).status_code == 401
    refused = client.post("/owner/login", data={"password": WORD})
    assert refused.status_code == 429
    assert "Wait a minute" in refused.json()["error"]["message"]


def test_door_opens_again_after_a_minute(clock):
    door = Door(WORD, clock)
    for _ in range(GUESSES):
        assert not door.opens("guess")
    assert door.shut
    clock.now += 61
    assert not door.shut
    assert door.opens(WORD)


def test_cookie_ends(clock):
    door = Door(WORD, clock)
    cookie = door.pass_now()
    assert door.knows(cookie)
    assert Door(WORD, clock).knows(cookie)  # the server was started anew
    clock.now += LASTS_S
    assert not door.knows(cookie)


def test_other_password_ends_the_logins(clock):
    assert not Door("another", clock).knows(Door(WORD, clock).pass_now())


@pytest.mark.parametrize("made", ["", None, "9999999999", "9999999999.00", ".", "x.y", "9" * 40])
def test_made_up_cookies_are_not_known(clock, made):
    assert not Door(WORD, clock).knows(made)


def test_altered_cookie_is_not_known(client, clock):
    ends, _, signature = Door(WORD, clock).pass_now().partition(".")
    client.cookies.set(COOKIE, f"{int(ends) + 1}.{signature}")
    assert client.get("/owner/").status_code == 401


LINK = "/owner/zh/?session=3f77ab&turn=2"


def test_link_to_a_turn_leads_there_through_the_door(client):
    turned = client.get(LINK, headers=PAGE, follow_redirects=False)
    door = turned.headers["location"]
    assert door.startswith("/owner/login?to=")
    assert "密码" in client.get(door).text
    opened = client.post(door, data={"password": WORD}, headers=PAGE, follow_redirects=False)
    assert (opened.status_code, opened.headers["location"]) == (303, LINK)


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/owner/", "//evil.example/owner/", "/", "/owner", "/owner/../v1/keys",
     "/owner/\\evil", "/owner/\r\nx: y", "javascript:alert(1)", ""],
)  # fmt: skip
def test_door_leads_nowhere_else(client, to):
    given = {"password": WORD}
    there = client.post("/owner/login", params={"to": to}, data=given, headers=PAGE,
                        follow_redirects=False)  # fmt: skip
    assert there.headers["location"] == "/owner/"


def test_wrong_password_is_said_in_the_language_of_the_page(client):
    wrong = client.post("/owner/login?to=/owner/zh/", data={"password": "guess"})
    assert "密码不对" in wrong.json()["error"]["message"]
    ended = client.get("/owner/zh/gradio_api/info").json()["error"]["message"]
    assert "登录已失效" in ended
