import pytest


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/sessions/nope", "DELETE, GET, HEAD"),
        ("GET", "/v1/sessions", "POST"),
        ("DELETE", "/v1/jobs/x:retry", "POST"),
        ("POST", "/v1/jobs/x", "GET, HEAD"),
        ("POST", "/v1/items/a/b", "GET, HEAD"),
        ("POST", "/health", "GET, HEAD"),
    ],
)
def test_allow_names_every_method(client, method, path, allowed):
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
