"""Synonyms: the same text in other words, and what search finds by them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine import Document, SearchEngine
from search.synonyms import MOST_VARIANTS, Synonyms

KNOWN = Synonyms(
    [("Dr.", "Doctor"), ("&", "and", "+"), ("LOTR", "Lord of the Rings"), ("2", "two", "II")]
)


@pytest.mark.parametrize(
    ("text", "variants"),
    [
        ("dr no", ("doctor no",)),
        ("Doctor No", ("dr no",)),
        ("lotr ", ("lord of the rings ",)),
        ("the lord of the rings", ("the lotr",)),
        ("romeo & juliet", ("romeo juliet",)),
        ("2", ("two", "ii")),
        ("dr and two", ("doctor and two", "dr two", "dr and 2")),
        ("and", ()),
        ("drama", ()),
        ("", ()),
    ],
)
def test_each_phrase_is_replaced_by_what_means_the_same(text, variants):
    assert KNOWN.variants(text) == variants


def test_without_synonyms_a_text_is_itself_alone():
    assert Synonyms().variants("dr no") == ()
    assert Synonyms([("dr", "Dr.")]).variants("dr no") == ()
    assert KNOWN.variants("dr " * 200) == ()


@given(st.text(alphabet="dr no2&+twoand ", max_size=30))
def test_variants_are_few_others_and_each_once(text):
    variants = KNOWN.variants(text)
    assert len(variants) == len(set(variants)) <= MOST_VARIANTS
    assert text not in variants


def shelf_of(*names, **more):
    return SearchEngine.build(Document(n, name, **more) for n, name in enumerate(names))


def first(shelf, text):
    return [hit.id for hit in shelf.search(text, variants=KNOWN.variants(text)).hits][:1]


@pytest.mark.parametrize(
    ("name", "text"),
    [("Doctor No", "dr. no"), ("Dr. No", "doctor no"), ("Romeo + Juliet", "romeo and juliet"),
     ("Romeo and Juliet", "romeo & juliet"), ("The Two Towers", "2 towers"),
     ("The Lord of the Rings", "lotr")],
)  # fmt: skip
def test_a_name_is_found_by_what_means_the_same(name, text):
    assert first(shelf_of("Something Else", name, "Another"), text) == [1]


def test_what_is_named_as_typed_stands_before_what_is_named_by_a_synonym():
    shelf = shelf_of("Lord of the Rings", "LOTR")
    assert first(shelf, "lotr") == [1]
    assert first(shelf, "lord of the rings") == [0]


def test_a_synonym_of_a_genre_is_understood():
    shelf = shelf_of("Rain", genres=("Romance",))
    found = shelf.search("weepies", variants=Synonyms([("weepies", "romance")]).variants("weepies"))
    assert [hit.id for hit in found.hits] == [0]
    assert [f.value for f in found.filters] == ["Romance"]
