"""An index with changed documents finds what an index built anew finds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from search.engine import Document, SearchEngine
from search.errors import DocumentOrderError
from search.index.changed import ChangedStrings
from search.index.strings import Strings
from search.retrieve import Band

WORDS = ("rocky", "godfather", "the", "star", "wars", "rokcy", "western", "ii", "2", "amelie", "m")
PEOPLE = ("Sergio Leone", "Al Pacino", "Star Wars", "Amelie Rocky")
GENRES = ("Western", "Drama", "Science Fiction")
names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)


def documents(ids):
    return st.builds(
        Document,
        id=ids,
        name=names,
        alternative_names=st.lists(names, max_size=1).map(tuple),
        people=st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True).map(tuple),
        genres=st.lists(st.sampled_from(GENRES), max_size=2, unique=True).map(tuple),
        languages=st.sampled_from([(), ("French",), ("English",)]),
        directors=st.lists(st.sampled_from(PEOPLE), max_size=1).map(tuple),
        countries=st.sampled_from([(), ("France",), ("Italy", "France")]),
        age=st.sampled_from([None, 0, 16]),
        minutes=st.sampled_from([None, 80, 130]),
        is_series=st.booleans(),
        year=st.sampled_from([None, 1972, 1994]),
        is_available=st.sampled_from([True, True, True, False]),
    )


shelves = st.lists(documents(st.integers(0, 12)), max_size=8, unique_by=lambda d: d.id)
changes = st.lists(documents(st.integers(0, 16)), max_size=5, unique_by=lambda d: d.id)
texts = st.one_of(
    names,
    names.map(lambda name: name[:-1]),
    names.map(lambda name: name + " "),
    st.sampled_from([
        "by sergio leone", "western 1972", "no drama", "french", "1994",
        "italian films", "under 90 minutes", "series", "drama for kids", "after 1980",
        "films by leone",
        "godfahter", "al pacno", "scifi", "star", "rock",
    ]),
)  # fmt: skip


def without_group_order(result):
    """What is found, but for how many documents a person or genre had, and what is near.

    No text asks for what is like a title: that is what is near to it in meaning.

    How near words beside filters are orders what the filters choose, so that order is left out.
    """
    hits = result.hits
    if any(hit.band in (Band.FITS, Band.FITS_MOST) for hit in hits):
        hits = tuple(sorted((replace(hit, parts={}) for hit in hits), key=lambda hit: hit.id))
    people, genres = tuple(sorted(result.people)), tuple(sorted(result.genres))
    return replace(result, near=(), hits=hits, people=people, genres=genres)


@settings(max_examples=100)
@given(shelves, changes, texts)
def test_what_is_found_is_what_a_new_index_finds(shelf, changed, text):
    last = max((document.id for document in shelf), default=-1)
    known = {document.id for document in shelf}
    changed = [d for d in changed if d.id in known or d.id > last]
    now = {d.id: d for d in [*shelf, *changed]}
    assume(labels_of(shelf) <= labels_of(now.values()))  # one of no document is still a label
    popularity = np.arange(len(now), dtype=np.float32)
    one = SearchEngine.build(shelf).with_changed(changed)
    other = SearchEngine.build(now.values())
    np.testing.assert_array_equal(one.document_ids, other.document_ids)
    found, expected = (e.search(text, popularity=popularity) for e in (one, other))
    assert without_group_order(found) == without_group_order(expected)


def labels_of(shelf):
    return {label for d in shelf for label in (*d.people, *d.genres, *d.languages)}


def shelf_of(*names):
    return SearchEngine.build(Document(n, name) for n, name in enumerate(names))


def ids(result):
    return [hit.id for hit in result.hits]


def test_a_renamed_document_is_found_by_its_new_name_alone():
    engine = shelf_of("High Noon", "Rio Bravo").with_changed([Document(0, "Metropolis")])
    assert ids(engine.search("metropolis")) == [0]
    assert ids(engine.search("high noon")) == ids(engine.search("high")) == []
    assert ids(engine.search("rio")) == [1]


def test_a_withdrawn_document_is_named_and_not_found():
    engine = shelf_of("High Noon").with_changed([Document(0, "High Noon", is_available=False)])
    result = engine.search("high noon")
    assert (result.hits, result.unavailable) == ((), ("High Noon",))


def test_an_added_document_is_found_and_is_near_to_nothing_yet():
    engine = shelf_of("High Noon", "Rio Bravo").with_changed([Document(7, "El Dorado")])
    assert ids(engine.search("el dorado")) == [7]
    assert engine.alike(7) == ()


def test_changes_come_on_top_of_changes():
    engine = shelf_of("High Noon").with_changed([Document(3, "El Dorado")])
    engine = engine.with_changed([Document(0, "Metropolis"), Document(3, "Stalker")])
    assert ids(engine.search("metropolis")) == [0]
    assert ids(engine.search("stalker")) == [3]
    assert ids(engine.search("el dorado")) == ids(engine.search("high noon")) == []


def test_a_new_person_is_a_filter():
    engine = shelf_of("High Noon").with_changed([Document(0, "High Noon", people=("Ada King",))])
    result = engine.search("by ada king")
    assert ids(result) == [0]
    assert [f.value for f in result.filters] == ["Ada King"]
    assert engine.search("ada ki").people == ("Ada King",)


def test_a_word_that_only_the_name_before_held_corrects_nothing():
    engine = shelf_of("Rocky").with_changed([Document(0, "The Godfather Rokcy")])
    assert engine.search("rocky").corrected == "rokcy"


def test_a_person_counts_the_titles_of_now():
    films = [Document(n, f"Film {n}", people=("Ada King",)) for n in range(3)]
    engine = SearchEngine.build(films[:2]).with_changed([films[2]])
    assert [f.value for f in engine.search("king films").filters] == ["Ada King"]
    engine = engine.with_changed([Document(3, "Film 3"), Document(0, "Film 0")])
    assert engine.search("king films").filters == ()


def test_an_added_document_must_come_last():
    with pytest.raises(DocumentOrderError, match="document 1 is new"):
        SearchEngine.build([Document(2, "Rio Bravo")]).with_changed([Document(1, "High Noon")])


def test_strings_are_changed_and_added_by_number():
    strings = ChangedStrings(Strings(["a", "b"]), {1: "c", 2: "d"})
    assert list(strings) == ["a", "c", "d"]
    assert len(strings) == 3
    with pytest.raises(IndexError):
        strings[3]


def test_a_changed_name_is_found_by_its_new_initials_alone():
    shelf = [Document(1, "Back to the Future"), Document(2, "Blood Feud")]
    engine = SearchEngine.build(shelf).with_changed([Document(1, "Return of the Jedi")])
    assert [hit.id for hit in engine.search("rotj").hits] == [1]
    assert engine.search("bttf").hits == ()
