"""Every metric is counted, defined and documented under one name."""

import re
from pathlib import Path

import pytest

from webapp.metrics.daily import SQL
from webapp.metrics.definitions import METRICS, TIME_TO_PLAY

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "metrics.md").read_text()


@pytest.mark.parametrize("name", [*METRICS, TIME_TO_PLAY.name])
def test_every_metric_is_documented(name):
    assert re.search(rf"^\|.*`{name}`.*\|.*\|.*\|", DOCUMENT, re.MULTILINE)


def test_every_metric_is_counted_somewhere():
    text = "".join(SQL.values())
    assert {name for name in METRICS if f"'{name}'" not in text} == set()


def test_nothing_is_counted_that_is_not_defined():
    told = re.findall(
        r"'(\w+)' AS metric|\('([a-z_0-9]+)', (?:sums|outcome|intent|page|a|s)\.",
        "".join(SQL.values()),
    )
    counted = {name for pair in told for name in pair if name}
    assert len(counted) > 15
    assert counted <= set(METRICS)
