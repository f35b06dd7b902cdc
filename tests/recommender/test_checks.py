"""The checks of settings: one wording for all, None passes."""

import pytest

from recommender import checks
from recommender.errors import InvalidInputError

NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    "check",
    [
        lambda value: checks.whole(x=value),
        lambda value: checks.positive(x=value),
        lambda value: checks.not_negative(x=value),
        lambda value: checks.share(x=value),
        lambda value: checks.between(0, 2, x=value),
        lambda value: checks.inside(0, 1, x=value),
    ],
)
def test_no_check_takes_nan_and_every_check_takes_none(check):
    check(None)
    with pytest.raises(InvalidInputError, match=r"^x must be .+, got nan$"):
        check(NAN)


@pytest.mark.parametrize("value", [0, -1, 1.5, INFINITY])
def test_a_whole_number_from_1_up(value):
    checks.whole(epochs=1, k=7.0)
    with pytest.raises(InvalidInputError) as refused:
        checks.whole(epochs=3, k=value)
    assert str(refused.value) == f"k must be a whole number from 1 up, got {value}"


def test_a_whole_number_has_the_least_value_that_is_asked_for():
    checks.whole(0, rounds=0)
    with pytest.raises(InvalidInputError, match="rounds must be a whole number from 2 up, got 1"):
        checks.whole(2, rounds=1)


@pytest.mark.parametrize("value", [0, -0.1, INFINITY])
def test_positive_and_finite(value):
    checks.positive(rate=1e-9)
    with pytest.raises(InvalidInputError, match=f"rate must be positive and finite, got {value}"):
        checks.positive(rate=value)


@pytest.mark.parametrize("value", [-0.1, INFINITY])
def test_zero_or_more_and_finite(value):
    checks.not_negative(penalty=0)
    with pytest.raises(InvalidInputError, match="penalty must be 0 or more and finite"):
        checks.not_negative(penalty=value)


def test_a_share_has_zero_but_not_one():
    checks.share(dropout=0.0)
    with pytest.raises(InvalidInputError, match=r"dropout must be from 0 to below 1, got 1\.0"):
        checks.share(dropout=1.0)


def test_between_has_its_ends_and_inside_has_not():
    checks.between(0, 0.5, exploration=0.5)
    with pytest.raises(InvalidInputError, match=r"exploration must be from 0 to 0\.5, got 0\.6"):
        checks.between(0, 0.5, exploration=0.6)
    checks.inside(0, 1, level=0.95)
    with pytest.raises(InvalidInputError, match="level must be between 0 and 1, got 1"):
        checks.inside(0, 1, level=1)


def test_a_name_is_one_of_those_allowed():
    checks.one_of(("a", "b"), loss="b")
    with pytest.raises(InvalidInputError, match="loss must be one of a, b, got 'c'"):
        checks.one_of(("a", "b"), loss="c")
