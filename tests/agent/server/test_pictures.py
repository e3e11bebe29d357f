"""/v1/pictures: files beside the catalog, and nothing else."""

import pytest

from agent.server.pictures import find_picture

SVG = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop" / "images").mkdir(parents=True)
    (tmp_path / "shop" / "images" / "a.svg").write_text(SVG)
    (tmp_path / "shop" / "images" / "b.PNG").write_bytes(b"png")
    (tmp_path / "shop" / "secrets.toml").write_text("key = 1")
    (tmp_path / "outside.png").write_bytes(b"outside")
    (tmp_path / "shop" / "images" / "link.png").symlink_to(tmp_path / "outside.png")
    return tmp_path / "shop"


def test_picture_is_shown_but_not_run(client_of, folder):
    response = client_of(pictures=folder).get("/v1/pictures/images/a.svg")
    assert (response.status_code, response.text) == (200, SVG)
    assert response.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"


def test_endings_are_of_any_case(client_of, folder):
    response = client_of(pictures=folder).get("/v1/pictures/images/b.PNG")
    assert response.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    "path",
    [
        "secrets.toml",
        "images",
        "",
        "images/none.png",
        "%2e%2e/outside.png",
        "images/%2e%2e/%2e%2e/outside.png",
        "/etc/passwd",
        "images/link.png",
        "x" * 5000 + ".png",
    ],
)
def test_nothing_else_is_reached(client_of, folder, path):
    response = client_of(pictures=folder).get(f"/v1/pictures/{path}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["../outside.png", "images/../../outside.png", "/outside.png"])
def test_files_outside_are_not_found(folder, path):
    assert find_picture(folder, path) is None
    assert find_picture(folder, "images/a.svg") == (folder / "images" / "a.svg").resolve()


def test_nul_in_a_path_finds_nothing(folder):
    assert find_picture(folder, "images/a.svg\0.png") is None


def test_without_folder_there_are_none(client):
    assert client.get("/v1/pictures/images/a.svg").status_code == 404
