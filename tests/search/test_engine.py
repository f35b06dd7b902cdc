"""Search over a shelf of our own: what people type, and what they meant."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine import Document, Part, SearchEngine
from search.errors import QueryTooLongError
from search.retrieve import Band

NAMES = [
    "The Godfather",
    "The Godfather Part II",
    "3 Godfathers",
    "Rocky",
    "Rocky II",
    "Rocky V",
    "Star Wars: Episode IV – A New Hope",
    "Amélie",
    "WALL·E",
    "M",
    "Max",
    "1917",
    "1911",
    "300",
    "Mr. 3000",
    "The Lord of the Rings: The Two Towers",
    "Ocean's Eleven",
    "Spider-Man",
    "Seven",
    "V for Vendetta",
    "Lock, Stock & Two Smoking Barrels",
    "Æon Flux",
    "Сталкер",
    "الرسالة",
    "千と千尋の神隠し",
    "The The",
    "Once Upon a Time in the West",
    "Casablanca",
]
SHELF = SearchEngine.build(
    Document(
        n,
        name,
        alternative_names=("Spirited Away",) if name.startswith("千") else (),
        people=("Sergio Leone",) if name.endswith("West") else (),
        genres=("Western",) if name.endswith("West") else ("Drama",),
        year=1968 if name.endswith("West") else 1950 + n,
    )
    for n, name in enumerate(NAMES)
)


def found(text, **options):
    return [NAMES[hit.id] for hit in SHELF.search(text, **options).hits]


@pytest.mark.parametrize("name", NAMES)
def test_an_exact_name_stands_first_whatever_anyone_likes(name):
    against = np.array([0.0 if n == name else 9.0 for n in NAMES], dtype=np.float32)
    assert found(name, affinity=against, popularity=against)[0] == name


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("godfather", "The Godfather"),
        ("godfahter", "The Godfather"),
        ("the godfater", "The Godfather"),
        ("godfather 2", "The Godfather Part II"),
        ("godfather ii", "The Godfather Part II"),
        ("rocky 2", "Rocky II"),
        ("rocky 5", "Rocky V"),
        ("starwars", "Star Wars: Episode IV – A New Hope"),
        ("hope new wars", "Star Wars: Episode IV – A New Hope"),
        ("amelie", "Amélie"),
        ("walle", "WALL·E"),
        ("wall-e", "WALL·E"),
        ("oceans eleven", "Ocean's Eleven"),
        ("ocean’s elven", "Ocean's Eleven"),
        ("spiderman", "Spider-Man"),
        ("spider man", "Spider-Man"),
        ("se7en", "Seven"),
        ("lock stock and two", "Lock, Stock & Two Smoking Barrels"),
        ("lord rings", "The Lord of the Rings: The Two Towers"),
        ("aeon flux", "Æon Flux"),
        ("сталк", "Сталкер"),
        ("الرس", "الرسالة"),
        ("千と", "千と千尋の神隠し"),
        ("spirited awya", "千と千尋の神隠し"),
        ("casablnaca", "Casablanca"),
        ("leone western", "Once Upon a Time in the West"),
        ("sergio 1968", "Once Upon a Time in the West"),
        ("m", "M"),
        ("300", "300"),
        ("v fo", "V for Vendetta"),
    ],
)
def test_what_is_typed_finds_what_is_meant(typed, meant):
    assert found(typed)[0] == meant


def test_one_letter_finds_what_begins_with_it():
    assert found("m") == ["M", "Max", "Mr. 3000", "Spider-Man"]


def test_a_year_is_not_taken_for_another_one():
    assert found("1917") == ["1917"]


def test_a_mistake_is_named_and_what_is_right_is_not():
    assert SHELF.search("casablnca").corrected == "Casablanca"
    assert SHELF.search("casablan").corrected is None


def test_taste_orders_titles_that_match_equally_well():
    fond_of_the_fifth = np.array([float(n == "Rocky V") for n in NAMES], dtype=np.float32)
    assert found("rock")[:3] == ["Rocky", "Rocky V", "Rocky II"]
    assert found("rock", affinity=fond_of_the_fifth)[0] == "Rocky V"


@pytest.mark.parametrize(
    "typed", ["", "   ", "!!!", "😀", "'; DROP TABLE title; --", "<b>", "\x00"]
)
def test_nonsense_is_answered_with_little_or_nothing(typed):
    assert len(found(typed)) <= 3


def test_a_very_long_text_is_refused_in_words():
    with pytest.raises(QueryTooLongError, match="this one has 10000"):
        SHELF.search("x" * 10_000)


def test_an_empty_shelf_has_nothing():
    assert SearchEngine.build([]).search("anything").hits == ()


@given(st.text(max_size=40))
def test_any_text_is_answered_the_same_way_twice(text):
    assert SHELF.search(text) == SHELF.search(text)


@given(
    st.sampled_from(["r", "the", "rocky", "godfahter", "drama", "st"]),
    st.lists(st.floats(-5, 5, width=32), min_size=len(NAMES), max_size=len(NAMES)),
)
def test_preference_reorders_within_a_band_only(text, preference):
    plain = SHELF.search(text).hits
    preferred = SHELF.search(text, affinity=np.array(preference, dtype=np.float32)).hits
    assert [hit.band for hit in preferred] == sorted(hit.band for hit in plain)
    assert {(h.id, h.band) for h in preferred} == {(h.id, h.band) for h in plain}
    assert Band.NONE not in {hit.band for hit in preferred}


def test_what_goes_on_as_typed_is_no_mistake():
    shelf = SearchEngine.build([Document(1, "The Star"), Document(2, "Star Wars")])
    assert shelf.search("star w").corrected is None
    assert shelf.search("satr wars").corrected == "Star Wars"


def test_what_is_not_to_be_had_has_neighbours_that_are():
    films = [
        Document(3, "Alien", genres=("Horror",), plot="A creature in space.", is_available=False),
        Document(5, "Aliens", genres=("Horror",), plot="More creatures in space."),
        Document(8, "Event Horizon", genres=("Horror",), plot="A haunted ship in space."),
        Document(9, "Notting Hill", genres=("Romance",), plot="A bookshop and a film star."),
    ]
    shelf = SearchEngine.build(films)
    near = [hit.id for hit in shelf.alike(3)]
    assert set(near) >= {5, 8}
    assert 3 not in near
    allowed = np.array([True, False, True, True])
    assert 5 not in [hit.id for hit in shelf.alike(3, allowed=allowed)]
    assert shelf.alike(4) == shelf.alike(99) == ()


@given(st.text(alphabet="the rockyvamx1", max_size=8), st.integers(1, 5))
def test_pages_hold_all_that_matches_once_in_one_order(text, size):
    whole = SHELF.search(text, len(NAMES))
    assert whole.total == len(whole.hits) == len(whole.matching)
    pages = [SHELF.search(text, size, part=Part(begin=n)) for n in range(0, whole.total, size)]
    assert tuple(hit for page in pages for hit in page.hits) == whole.hits
    assert all(page.total == whole.total for page in pages)
    past = SHELF.search(text, size, part=Part(begin=10_000))
    assert past.hits == (pages[-1].hits if pages else ())


def test_what_is_not_listed_changes_neither_the_meaning_nor_who_is_named():
    listed = np.array([name != "Rocky" for name in NAMES])
    whole, part = SHELF.search("rokcy"), SHELF.search("rokcy", part=Part(listed))
    assert part.corrected == whole.corrected == "Rocky"
    assert part.total == whole.total - 1
    assert set(part.matching) == set(whole.matching)
    assert NAMES.index("Rocky") not in [hit.id for hit in part.hits]


def test_sorted_otherwise_what_is_as_typed_still_stands_before_mistakes():
    shelf = SearchEngine.build(
        Document(n, name, year=year)
        for n, (name, year) in enumerate(
            [("Rocky", 1976), ("Rockey", 2020), ("Rocky II", 1979), ("Rocky V", 1990)]
        )
    )
    years = np.array([1976, 2020, 1979, 1990], dtype=np.float64)
    assert [hit.id for hit in shelf.search("rocky", part=Part(keys=years)).hits] == [3, 2, 0, 1]
