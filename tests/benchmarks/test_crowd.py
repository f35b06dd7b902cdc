"""The short form of `script/benchmark crowd`: all are served or refused, probes answered."""

import time

import pytest

pytest.importorskip("threadpoolctl", reason="needs requirements-bench.txt")

from benchmarks.crowd import HEALTH_MS, SHIPPED, Crowd, Heard, bars, crowd_of, rows
from tests.web_server import web_server

CLIENTS, SLOW, SECONDS = 16, 2, 3.0


@pytest.mark.django_db(transaction=True)
def test_a_crowd_is_served_or_told_when_to_come_again(
    films, cast, client, log_in, tmp_path, monkeypatch
):
    for name in SHIPPED:
        monkeypatch.delenv(name, raising=False)
    session = log_in(client, cast.owner).cookies["sessionid"].value
    unlimited = {"MARQUEE_PAGES_A_MINUTE": "1000000"}
    with web_server(tmp_path, processes=1, ready="/healthz", **unlimited) as web:
        crowd = crowd_of(web.port, [session] * CLIENTS, SLOW, SECONDS)
    assert set(crowd.home.took) == {"200", "503"}
    assert crowd.home.without_retry == 0
    assert set(crowd.health.took) == {"200"}
    assert crowd.dropped == 0


def heard(**took):
    return Heard({status.lstrip("_"): list(ms) for status, ms in took.items()})


def test_bars_are_missed_by_what_is_slow_or_strange():
    good = Crowd(heard(_200=[900.0], _503=[3.0]), heard(_200=[5.0]), dropped=0)
    assert all(bars(good).values())
    slow = Crowd(heard(_200=[2500.0]), heard(_200=[1.0] * 999 + [HEALTH_MS + 1]), dropped=0)
    assert list(bars(slow).values()) == [True, False, False, True]
    strange = Crowd(heard(_200=[1.0], _500=[1.0]), heard(_200=[1.0], TimeoutError=[1.0]), 0)
    assert list(bars(strange).values()) == [False, False, True, False]
    silent = Crowd(heard(_200=[1.0], _503=[1.0]), heard(), dropped=0)
    silent.home.without_retry = 1
    assert list(bars(silent).values()) == [False, False, True, False]
    others = [row.system for row in rows(strange) if row.metric == "others"]
    assert others == ["home, 500", "health, TimeoutError"]


def test_what_comes_is_counted_by_status():
    heard = Heard()
    for status in ("200", "503", "200"):
        heard.note(status, time.monotonic() - 0.5)
    assert heard.count() == {"200": 2, "503": 1}
    assert heard.percentile("200", 50) >= 500
    assert heard.percentile("500", 50) != heard.percentile("500", 50)
