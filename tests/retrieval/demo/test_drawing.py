from __future__ import annotations

from xml.etree import ElementTree

import pytest

from retrieval.demo.drawing import COLOURS, _brightness, draw, shapes, tones
from retrieval.demo.kinds import kinds, quotas


@pytest.mark.parametrize("shape", shapes())
def test_shape_draws_as_svg(shape):
    picture = draw(shape, "Teal")
    root = ElementTree.fromstring(picture)
    assert root.attrib["viewBox"] == "0 0 200 200"
    assert len(list(root.iter())) > 8
    assert "$" not in picture


@pytest.mark.parametrize("colour", COLOURS)
def test_outline_stands_out(colour):
    base, line = tones(COLOURS[colour])["base"], tones(COLOURS[colour])["line"]
    assert abs(_brightness(base) - _brightness(line)) > 0.1


def test_colours_give_different_pictures():
    assert len({draw("dress-wrap", colour) for colour in COLOURS}) == len(COLOURS)


def test_every_shape_is_used():
    used = {cut.shape for kind in kinds() for cut in kind.cuts}
    assert used == set(shapes())


def test_unknown_colour_raises():
    with pytest.raises(KeyError, match="Greige"):
        draw("mug", "Greige")


@pytest.mark.parametrize("total", [1, 60, 2400, 10_001])
def test_quotas_add_up(total):
    assert sum(quotas(total)) == total


def test_quotas_follow_shares():
    counts = quotas(2925)
    assert counts == [kind.share for kind in kinds()]


def test_cuts_use_known_materials():
    for kind in kinds():
        for cut in kind.cuts:
            assert set(cut.materials) <= set(kind.materials)
            assert set(cut.features) <= set(kind.feature_texts)
