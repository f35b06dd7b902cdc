"""Facets: how many matches have each value, under what is chosen already."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine import Document, SearchEngine
from search.errors import FacetError
from search.facets import LENGTHS, Facet, FacetValue

SHELF = [
    Document(0, "Rain", genres=("Comedy", "Romance"), languages=("English",), year=1994,
             minutes=88, age=6),
    Document(1, "Rainbow", genres=("Comedy",), languages=("French", "English"), year=1999,
             minutes=121, age=12),
    Document(2, "Rain Again", genres=("Drama", "Romance"), languages=("French",), year=1985,
             minutes=45, age=0),
    Document(3, "Rain Man", genres=("Drama",), year=1988, is_series=True),
    Document(4, "Snow", genres=("Comedy",), languages=("English",), year=1994, minutes=90),
]  # fmt: skip


@pytest.fixture(scope="module")
def engine():
    return SearchEngine.build(SHELF)


def chosen(*pairs):
    return [FacetValue.parse(Facet(facet), value) for facet, value in pairs]


def counted(engine, *pairs, text="rain", seen=None):
    """Counts by facet and value of what a text matches."""
    matching = engine.search(text).matching
    counts = engine.facets.counts(matching, chosen(*pairs), seen)
    return {f"{c.value.facet} {c.value.value}": c.count for c in counts}


def test_each_value_is_counted_over_all_matches(engine):
    assert counted(engine) == {
        "genre Comedy": 2, "genre Drama": 2, "genre Romance": 2,
        "decade 1990s": 2, "decade 1980s": 2, "language English": 2, "language French": 2,
        "length under-60": 1, "length 60-89": 1, "length 120-up": 1,
        "age 0": 1, "age 6": 2, "age 12": 3, "age 16": 3,
        "kind film": 3, "kind series": 1,
    }  # fmt: skip


def test_what_all_matches_have_narrows_nothing_and_is_left_out(engine):
    facets = {key.split()[0] for key in counted(engine, text="snow")}
    assert facets == set()
    assert "seen yes" not in counted(engine, seen=np.zeros(5, dtype=bool))


def test_of_genres_each_count_is_under_those_chosen_of_others_as_if_none_were(engine):
    under_comedy = counted(engine, ("genre", "Comedy"))
    assert (under_comedy["genre Comedy"], under_comedy["genre Romance"]) == (2, 1)
    assert "genre Drama" not in under_comedy
    under_90s = counted(engine, ("decade", "1990s"))
    assert (under_90s["decade 1990s"], under_90s["decade 1980s"]) == (2, 2)
    assert (under_90s["genre Romance"], under_90s.get("genre Drama")) == (1, None)


def test_of_genres_all_hold_and_of_other_facets_one(engine):
    def ids(*pairs):
        mask = engine.facets.mask(chosen(*pairs))
        return np.flatnonzero(mask).tolist()

    assert ids(("genre", "comedy"), ("genre", "Romance")) == [0]
    assert ids(("decade", "1980s"), ("decade", "1990s")) == [0, 1, 2, 3, 4]
    assert ids(("decade", "1990s"), ("language", "French")) == [1]
    assert ids(("age", "6")) == [0, 2]
    assert ids(("genre", "Opera")) == []
    assert engine.facets.mask([]) is None


def test_a_chosen_value_stays_though_nothing_has_it(engine):
    counts = engine.facets.counts(engine.search("rain").matching, chosen(("genre", "Opera")))
    assert [(c.value.value, c.count, c.is_chosen) for c in counts] == [("Opera", 0, True)]


def test_a_genre_is_written_as_in_the_catalogue(engine):
    counts = engine.facets.counts(engine.search("rain").matching, chosen(("genre", "comedy")))
    assert [c.value.value for c in counts if c.is_chosen] == ["Comedy"]


def test_seen_or_not_is_this_viewers(engine):
    seen = np.array([True, False, False, False, True])
    assert counted(engine, seen=seen)["seen no"] == 3
    assert counted(engine, seen=seen)["seen yes"] == 1
    mask = engine.facets.mask(chosen(("seen", "no")), seen)
    assert np.flatnonzero(mask).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("facet", "text"),
    [("decade", "1994"), ("decade", "90s"), ("decade", "0000s"), ("length", "90"), ("age", "7"),
     ("kind", "films"), ("seen", "maybe"), ("genre", " "), ("language", "x" * 101)],
)  # fmt: skip
def test_what_no_facet_has_is_refused_in_words(facet, text):
    with pytest.raises(FacetError) as refusal:
        FacetValue.parse(Facet(facet), text)
    assert refusal.value.parameter == facet
    assert str(refusal.value).startswith(("Give", "Write"))


values = st.one_of(
    st.tuples(st.just(Facet.GENRE), st.sampled_from(["Comedy", "Drama"])),
    st.tuples(st.just(Facet.DECADE), st.sampled_from(["1980s", "1990s"])),
    st.tuples(st.just(Facet.LANGUAGE), st.sampled_from(["French", "English"])),
    st.tuples(st.just(Facet.LENGTH), st.sampled_from(list(LENGTHS))),
    st.tuples(st.just(Facet.AGE), st.sampled_from(["0", "12"])),
    st.tuples(st.just(Facet.KIND), st.sampled_from(["film", "series"])),
    st.tuples(st.just(Facet.SEEN), st.sampled_from(["no", "yes"])),
)
shelves = st.lists(
    st.builds(
        Document,
        id=st.integers(0, 12),
        name=st.just("rain"),
        genres=st.lists(st.sampled_from(["Comedy", "Drama"]), unique=True).map(tuple),
        languages=st.lists(st.sampled_from(["French", "English"]), unique=True).map(tuple),
        year=st.sampled_from([None, 1985, 1994]),
        minutes=st.sampled_from([None, 59, 60, 89, 90, 119, 120]),
        age=st.sampled_from([None, 0, 12, 18]),
        is_series=st.booleans(),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda document: document.id,
)


@given(shelves, st.lists(values, max_size=3), st.integers(0, 255), st.booleans())
def test_each_count_is_how_many_the_choice_would_list(shelf, pairs, seen_bits, is_changed):
    """The counts of a value not chosen, held against choosing it beside what is chosen."""
    count = len(shelf)
    engine = SearchEngine.build(shelf)
    if is_changed:
        engine = SearchEngine.build(replace(d, genres=("Drama", "War")) for d in shelf)
        engine = engine.with_changed(shelf)
    seen = np.array([bool(seen_bits >> n & 1) for n in range(count)])
    picked = [FacetValue(*pair) for pair in dict.fromkeys(pairs)]
    matching = np.arange(0, count, 2)
    for found in engine.facets.counts(matching, picked, seen):
        facet = found.value.facet
        others = [p for p in picked if p.facet != facet or facet is Facet.GENRE]
        mask = engine.facets.mask([*others, found.value], seen)
        assert found.count == mask[matching].sum()
        assert found.is_chosen == (found.value in picked)
