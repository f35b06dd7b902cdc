"""Benchmark clients side by side."""

from functools import partial
from threading import Barrier

import pytest

from benchmarks.at_once import at_once


def test_calls_run_side_by_side_and_answer_in_order():
    barrier = Barrier(3, timeout=10)

    def call(number):
        barrier.wait()
        return number

    assert at_once([partial(call, number) for number in range(3)]) == [0, 1, 2]


def test_the_first_failure_is_raised_when_all_have_ended():
    ended = []

    def call(number):
        if number == 1:
            raise ConnectionError(f"client {number} failed")
        ended.append(number)

    with pytest.raises(ConnectionError, match="client 1 failed"):
        at_once([partial(call, number) for number in range(3)])
    assert sorted(ended) == [0, 2]
