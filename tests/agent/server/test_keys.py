import pytest

from agent.server.access import Rules
from tests.agent.server.tenancy import OPERATOR, bearer, open_shop, serve

NEW = {"name": "web shop", "scopes": ["feedback", "chat"], "expires": "90d"}


@pytest.fixture
def made(tmp_path, shop):
    shop = open_shop("a", tmp_path, shop)
    yield shop
    shop.tenant.close()


@pytest.fixture
def api(made):
    client = serve(made)
    client.headers.update(bearer(made.keys["admin"]))
    return client


def test_new_key_opens_what_it_is_for(api, made):
    answer = api.post("/v1/keys", json=NEW)
    assert answer.status_code == 201
    key = answer.json()
    assert (key["name"], key["scopes"], key["status"]) == ("web shop", ["chat", "feedback"], "good")
    own = bearer(key["key"])
    assert api.get("/v1/models", headers=own).status_code == 200
    assert api.get("/v1/keys", headers=own).status_code == 403


def test_key_is_shown_once(api):
    key = api.post("/v1/keys", json=NEW).json()
    listed = api.get("/v1/keys").json()["keys"]
    assert key["id"] in {one["id"] for one in listed}
    assert "key" not in listed[-1]
    assert key["key"] not in str(listed)
    assert not any("hash" in one for one in listed)


def test_revoked_key_opens_nothing(api, made):
    key = api.post("/v1/keys", json=NEW).json()
    gone = api.delete(f"/v1/keys/{key['id']}")
    assert (gone.status_code, gone.json()["status"]) == (200, "revoked")
    assert api.get("/v1/models", headers=bearer(key["key"])).status_code == 401
    assert api.delete(f"/v1/keys/{key['id']}").json() == gone.json()


def test_revoking_nothing_is_404(api):
    answer = api.delete("/v1/keys/000000000000")
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "no_such_key")


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "x"}, {"name": "", "scopes": ["chat"]}, {"name": "x", "scopes": []},
     {"name": "x", "scopes": ["root"]}, {"name": "x" * 201, "scopes": ["chat"]},
     {"name": "x", "scopes": ["chat"], "expires": "soon"},
     {"name": "x", "scopes": ["chat"], "expires": "0d"}, {**NEW, "id": "mine"}],
)  # fmt: skip
def test_wrong_keys_are_not_made(api, made, body):
    before = made.keyring.list()
    assert api.post("/v1/keys", json=body).status_code == 422
    assert made.keyring.list() == before


def test_operator_makes_the_first_key(client_of, store):
    client = client_of(rules=Rules(operator_key=OPERATOR))
    assert client.post("/v1/keys", json=NEW).status_code == 403  # open, but not for this
    made = client.post("/v1/keys", json=NEW, headers=bearer(OPERATOR)).json()
    assert made["key"].startswith("att_default_")
    assert client.get("/v1/models").status_code == 401
    assert client.get("/v1/models", headers=bearer(made["key"])).status_code == 200


def test_open_server_shows_and_makes_no_keys(client):
    for answer in (client.get("/v1/keys"), client.post("/v1/keys", json=NEW)):
        assert answer.status_code == 403
        assert "attune keys add" in answer.text
