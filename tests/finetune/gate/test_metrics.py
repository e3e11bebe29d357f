"""Values of metrics from readings added up."""

import numpy as np
import pytest

from finetune.gate.metrics import METRICS, suite_of, value


@pytest.mark.parametrize(
    ("statistic", "sums", "expected"),
    [
        ("mean", [3.0, 4.0], 0.75),
        ("top_share", [6.0, 3.0, 1.0], 0.6),
        ("gini", [5.0, 5.0, 5.0, 5.0], 0.0),
        ("gini", [0.0, 0.0, 0.0, 8.0], 0.75),
        ("gini", [1.0, 3.0], 0.25),
    ],
)
def test_value_of_sums(statistic, sums, expected):
    assert value(statistic, np.array(sums)) == pytest.approx(expected)


def test_rows_have_values_of_their_own():
    sums = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert value("mean", sums).tolist() == [0.5, 0.75]


@pytest.mark.parametrize("statistic", ["mean", "top_share", "gini"])
def test_nothing_counted_is_no_number(statistic):
    assert np.isnan(value(statistic, np.zeros(2)))


def test_gini_equals_mean_difference():
    counts = np.array([2.0, 7.0, 1.0, 0.0, 4.0])
    apart = np.abs(counts[:, None] - counts).mean()
    assert value("gini", counts) == pytest.approx(apart / (2 * counts.mean()))


def test_every_metric_names_its_suite():
    assert {suite_of(name) for name in METRICS} >= {"understanding", "safety", "simulator"}
    assert all(metric.text and not metric.text.endswith(".") for metric in METRICS.values())
