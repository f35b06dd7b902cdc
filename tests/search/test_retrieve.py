"""Which documents match, and how good the evidence is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.ranking.features import MATCHES
from search.index.labels import Labels
from search.index.names import Names
from search.index.postings import Postings
from search.query import Query
from search.retrieve import Band, LabelMatches, bands, label_ranks
from search.text import words

NAMES = ["Star Wars", "Starship Troopers", "The Star", "Wars of Stars", "Casablanca"]
CAST = ["Mark Hamill", "", "Bogart", "", "Humphrey Bogart"]


def bands_of(text: str, names: list[str] = NAMES, cast: list[str] | None = None) -> list[Band]:
    people = cast or [""] * len(names)
    found = bands(
        Query.parse(text),
        Names([name] for name in names),
        Postings(([words(name)] for name in names), joins=True),
        Postings([words(name), words(who)] for name, who in zip(names, people, strict=True)),
        [LabelMatches(Query.parse(text), Labels([who] if who else [] for who in people))],
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


def test_what_people_hold_as_typed_stands_before_mistakes() -> None:
    names, cast = ["Mitt", "Seven", "Pittsburgh", "Heat"], ["", "Brad Pitt", "", "Pitt Brown"]
    found = bands_of("pitt", names, cast)
    assert found == [Band.NEAR, Band.ABOUT, Band.BEGINS, Band.ABOUT]
    assert found[1] < found[0]


def test_words_of_one_person_stand_before_words_of_several_things() -> None:
    names, cast = ["One", "Two", "Three"], ["Mark Hamill", "Hamill Smith", "Mark Twain Hamillton"]
    assert bands_of("mark hamill", names, cast) == [Band.ABOUT, Band.NONE, Band.ABOUT_BEGUN]
    assert bands_of("three mark", names, cast)[2] == Band.SCATTERED


def test_a_label_is_known_by_any_of_its_words_and_by_a_mistake_where_that_is_wanted() -> None:
    people = Labels([["Nolan Funk"], ["Christopher Nolan"], ["Nolana"], ["Noland Smith"]])
    ranks = label_ranks(LabelMatches(Query.parse("nolan"), people), forgives=True)
    assert ranks.tolist() == [Band.ABOUT, Band.ABOUT, Band.ABOUT_BEGUN, Band.ABOUT_BEGUN]
    assert (
        label_ranks(LabelMatches(Query.parse("nolen"), people), forgives=False) == Band.NONE
    ).all()
    assert (
        label_ranks(LabelMatches(Query.parse("nolen"), people), forgives=True) != Band.NONE
    ).any()


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


def test_every_band_has_a_code_of_its_own_for_rankers() -> None:
    codes = MATCHES[[band for band in Band if band not in (Band.NONE, Band.FITS_MOST)]].tolist()
    assert len(codes) == len(set(codes))
    assert MATCHES[Band.FITS] == MATCHES[Band.FITS_MOST]
    assert MATCHES[[Band.WRITTEN, Band.NEAR, Band.ABOUT, Band.ABOUT_NEAR]].tolist() == [
        1,
        5,
        10,
        11,
    ]
