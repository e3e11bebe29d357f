"""thresholds.toml is read, and what it asks for exists."""

import pytest

from finetune.errors import GateError
from finetune.gate.metrics import METRICS, suite_of
from finetune.gate.thresholds import Rule, read_thresholds

METRIC = '[metrics."understanding.state_exact"]\nbetter = "higher"\n'


def written(folder, text):
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_own_thresholds_are_read():
    found = read_thresholds()
    assert set(found.metrics) <= set(METRICS)
    assert {suite_of(name) for name in found.metrics} >= set(found.required)
    assert any(rule.improves for rule in found.metrics.values())
    assert len(found.hash) == 64


def test_rule_is_read_as_written(tmp_path):
    found = read_thresholds(written(tmp_path, "confidence = 0.9\n" + METRIC + "margin = 0.1\n"))
    assert found.metrics["understanding.state_exact"] == Rule(better="higher", margin=0.1)
    assert found.alpha == pytest.approx(0.05)
    assert found.must_improve


def test_direction_has_a_sign():
    assert Rule(better="higher", margin=0).sign == 1
    assert Rule(better="lower", margin=0).sign == -1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metrics = 3", "mine.toml: metrics: Input should be a valid dictionary"),
        ("confidence = [", "mine.toml: expected TOML"),
        ("[metrics]", "expected at least one metric"),
        ('[metrics."understanding.sense"]\nbetter="higher"\nmargin=0', "'understanding.sense'"),
        ('required = ["luck"]\n' + METRIC + "margin = 0", "unknown suite 'luck'"),
        (METRIC, "expected margin, at_most, at_least, new_at_most or improves"),
        (METRIC + "margin = -0.1", "greater than or equal to 0"),
        (METRIC + "margins = 0.1", "Extra inputs are not permitted"),
        (METRIC.replace("higher", "up") + "margin = 0", "'higher' or 'lower'"),
        ("confidence = 1.5\n" + METRIC + "margin = 0", "confidence"),
    ],
)
def test_bad_file_is_told(tmp_path, text, said):
    with pytest.raises(GateError, match=r"mine\.toml") as told:
        read_thresholds(written(tmp_path, text))
    assert said in str(told.value)


def test_missing_file_is_told(tmp_path):
    with pytest.raises(GateError, match="no thresholds at"):
        read_thresholds(tmp_path / "none.toml")


def test_small_gate_has_margins_of_its_own(tmp_path):
    text = METRIC + 'margin = 0.05\n[small]\n"understanding.state_exact" = 0.2\n'
    found = read_thresholds(written(tmp_path, text))
    assert found.metrics["understanding.state_exact"].margin == 0.05
    assert found.of_small().metrics["understanding.state_exact"].margin == 0.2


def test_small_margin_needs_one_for_the_whole(tmp_path):
    text = METRIC + 'at_most = 1\n[small]\n"understanding.state_exact" = 0.2\n'
    with pytest.raises(GateError, match=r"small: 'understanding\.state_exact' has no margin"):
        read_thresholds(written(tmp_path, text))


def test_own_small_margins_are_the_wider():
    found = read_thresholds()
    assert all(margin > found.metrics[name].margin for name, margin in found.small.items())
