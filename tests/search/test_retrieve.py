"""Which documents match, and how good the evidence is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.index.names import Names
from search.index.postings import Postings
from search.query import Query
from search.retrieve import Band, bands
from search.text import words

NAMES = ["Star Wars", "Starship Troopers", "The Star", "Wars of Stars", "Casablanca"]
CAST = ["Mark Hamill", "", "Bogart", "", "Humphrey Bogart"]


def bands_of(
    text: str, names: list[str] = NAMES, *, cast: list[str] | None = None, forgives: bool = True
) -> list[Band]:
    about = cast and Postings([words(name), words(who)] for name, who in zip(names, cast))  # noqa: B905
    found = bands(
        Query.parse(text),
        Names([name] for name in names),
        Postings(([words(name)] for name in names), joins=True),
        about or None,
        forgives=forgives,
    )
    return [Band(int(band)) for band in found]


@pytest.mark.parametrize(
    ("text", "place", "band"),
    [
        ("star wars", 0, Band.WRITTEN),
        ("STAR  wars", 0, Band.WRITTEN),
        ("starwars", 0, Band.EXACT),
        ("star", 2, Band.EXACT),
        ("star w", 0, Band.COMPLETES),
        ("star", 0, Band.COMPLETES),
        ("star", 1, Band.BEGINS),
        ("star wrs", 0, Band.NEAR),
        ("wars star", 0, Band.WORDS),
        ("wars star", 3, Band.WORDS),
        ("casblnca", 4, Band.NEAR_TWO),
        ("castroo", 4, Band.NONE),
        ("qqqqq", 0, Band.NONE),
    ],
)
def test_each_evidence_has_its_band(text: str, place: int, band: Band) -> None:
    assert bands_of(text)[place] == band


def test_who_plays_in_it_is_the_last_evidence_and_needs_to_be_known() -> None:
    assert bands_of("bogart", cast=CAST)[2:5:2] == [Band.ABOUT, Band.ABOUT]
    assert bands_of("bogrt", cast=CAST)[4] == Band.ABOUT_NEAR
    assert set(bands_of("bogart")) == {Band.NONE}


def test_a_blank_ends_the_word() -> None:
    """`star ` begins no Starship."""
    assert bands_of("star")[1] == Band.BEGINS
    assert bands_of("star ")[1] == Band.BEGINS_NEAR


def test_no_mistake_is_forgiven_where_that_is_not_wanted() -> None:
    assert bands_of("casblanca")[4] == Band.NEAR
    assert bands_of("casblanca", forgives=False)[4] == Band.NONE


def test_nothing_typed_matches_nothing() -> None:
    assert set(bands_of("  ")) == {Band.NONE}


WORDS = st.lists(
    st.sampled_from(["star", "wars", "moon", "thing", "house"]), min_size=1, max_size=3
)


@given(st.lists(WORDS.map(" ".join), min_size=1, max_size=6), st.data())
def test_a_whole_name_is_the_best_evidence_and_its_beginning_always_some(
    names: list[str], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(names) - 1))
    name = names[place]
    assert bands_of(name, names)[place] == Band.WRITTEN
    begun = name[: data.draw(st.integers(1, len(name)))].rstrip()
    assert bands_of(begun, names)[place] <= Band.BEGINS
