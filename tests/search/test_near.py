"""The sieve for mistakes against a plain comparison with every string."""

import random

import pytest
from rapidfuzz.distance import OSA

from search.index.near import NearStrings

ALPHABETS = ("abc", "abcdefghijklmnopqrstuvwxyz", "абвгд日本語映画")


def drawn(seed, count=400, longest=24):
    rng = random.Random(seed)  # noqa: S311  no secrets
    letters = ALPHABETS[seed % len(ALPHABETS)]
    return ["".join(rng.choices(letters, k=rng.randint(1, longest))) for _ in range(count)]


def wrong(text, rng, letters):
    place = rng.randrange(len(text))
    kind = rng.choice(("insert", "delete", "replace", "swap"))
    if kind == "insert":
        return text[:place] + rng.choice(letters) + text[place:]
    if kind == "delete":
        return text[:place] + text[place + 1 :]
    if kind == "replace":
        return text[:place] + rng.choice(letters) + text[place + 1 :]
    return text[:place] + text[place : place + 2][::-1] + text[place + 2 :]


def asked(strings, seed):
    """Whole strings and beginnings, as they are and with one mistake, and things of no string."""
    rng = random.Random(seed)  # noqa: S311  no secrets
    letters = ALPHABETS[seed % len(ALPHABETS)]
    for string in rng.sample(strings, 60):
        for text in (string, string[: rng.randint(1, len(string))]):
            yield from (text, wrong(text, rng, letters) or text)
    yield from drawn(seed + 30, 30)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("mistakes", [1, 2])
def test_strings_within_so_many_mistakes_are_found_and_no_others(seed, mistakes):
    strings = drawn(seed)
    near = NearStrings(strings)
    for text in asked(strings, seed):
        places, distances = near.near(text, mistakes)
        plain = {n: OSA.distance(text, string) for n, string in enumerate(strings)}
        assert dict(zip(places.tolist(), distances.tolist(), strict=True)) == {
            n: distance for n, distance in plain.items() if distance <= mistakes
        }


@pytest.mark.parametrize("seed", range(6))
def test_strings_that_begin_a_mistake_away_at_most_are_found_and_no_others(seed):
    strings = drawn(seed)
    near = NearStrings(strings)
    for text in asked(strings, seed):
        plain = {
            n
            for n, string in enumerate(strings)
            if min(OSA.distance(text, string[:size]) for size in range(len(string) + 1)) <= 1
        }
        assert set(near.beginning_near(text).tolist()) == plain, text


@pytest.mark.parametrize(
    ("typed", "string", "is_near"),
    [
        ("1917", "1911", False),
        ("1917", "1917", True),
        ("se7en", "seven", True),
        ("ocean11", "ocean12", False),
        ("ocean11", "ocean1", False),
        ("rocky2x", "rocky2", True),
    ],
)
def test_no_number_is_taken_for_another(typed, string, is_near):
    assert (len(NearStrings([string]).near(typed, 1)[0]) == 1) is is_near


def test_of_no_strings_none_is_near():
    near = NearStrings([])
    assert len(near.near("text", 1)[0]) == 0
    assert len(near.beginning_near("text")) == 0
