"""What the pages' benchmarks do besides driving a browser: requests, figures, small pictures."""

import io

import httpx
import pytest

from benchmarks import ui_speed

Image = pytest.importorskip("PIL.Image")

FACETS = {
    "items": 3,
    "facets": [
        {"role": "category", "values": [{"value": "Dresses"}, {"value": "Desks"}]},
        {"role": "colour", "values": [{"value": "Blue"}, {"value": "Red"}, {"value": "Grey"}]},
        {"role": "price", "values": []},
    ],
}


@pytest.fixture
def facets(monkeypatch):
    def serve(answer):
        monkeypatch.setattr(httpx, "get", lambda url, timeout: httpx.Response(200, json=answer))

    return serve


def test_requests_are_made_of_the_catalogs_values(facets):
    facets(FACETS)
    talks = ui_speed.requests_for("http://x/", 7)
    assert [len(talk) for talk in talks] == [3, 3, 3]
    assert talks[0] == ["Blue Dresses", "not Red", "under 80"]
    assert talks[1][0] == "I am looking for Desks"
    assert talks == ui_speed.requests_for("http://x/", 9)


def test_catalog_without_kinds_is_asked_by_its_first_facet(facets):
    facets({"facets": [{"role": None, "values": [{"value": "Ann"}, {"value": "Bob"}]}]})
    assert ui_speed.requests_for("http://x/", 1) == [["Ann Ann", "not Bob", "under 80"]]


def test_figures_leave_out_what_was_not_there():
    made = ui_speed.figures([[100.0, 10.0], [float("nan"), 20.0], [300.0, 30.0]])
    assert made["card"] == {"n": 2, "p50": 200.0, "p95": 290.0}
    assert made["word"] == {"n": 3, "p50": 20.0, "p95": 29.0}


def picture(size, noisy):
    shot = Image.effect_noise(size, 90) if noisy else Image.new("RGB", size, "white")
    whole = io.BytesIO()
    shot.convert("RGB").save(whole, "PNG")
    return whole.getvalue()


def test_pictures_keep_their_size_in_pixels(tmp_path):
    from benchmarks.screenshots import write_small

    for noisy in (False, True):
        shot = picture((300, 200), noisy)
        write_small(shot, tmp_path / "a.png")
        with Image.open(tmp_path / "a.png") as made:
            assert made.size == (300, 200)


def test_pictures_have_few_colours(tmp_path):
    from benchmarks import screenshots

    shot = picture((700, 700), True)
    screenshots.write_small(shot, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size < len(shot)
    with Image.open(tmp_path / "a.png") as made:
        assert len(made.convert("RGB").getcolors(1 << 24)) <= screenshots.COLOURS


def test_story_has_all_its_steps(tmp_path):
    from benchmarks import screenshots

    steps = [picture((1200, 860), noisy) for noisy in (False, True, False)]
    screenshots.write_story(steps, tmp_path / "story.webp")
    with Image.open(tmp_path / "story.webp") as made:
        assert made.n_frames == 3
        assert made.width == screenshots.STORY_WIDTH
