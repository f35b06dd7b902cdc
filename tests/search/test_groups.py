"""People and genres beside titles; titles that are known and not to be had."""

import numpy as np
import pytest

from search.engine import Document, SearchEngine

SHELF = SearchEngine.build(
    [
        Document(1, "Alien", people=("Sigourney Weaver", "Ridley Scott"), genres=("Sci-Fi",)),
        Document(2, "Blade Runner", people=("Harrison Ford", "Ridley Scott"), genres=("Sci-Fi",)),
        Document(3, "Scott of the Antarctic", people=("John Mills",), genres=("Adventure",)),
        Document(
            4, "The Thing", people=("Kurt Russell",), genres=("Sci-Fi",), is_available=False,
            characters=("MacReady",),
        ),
        Document(5, "Dark Star", people=("Dan O'Bannon",), genres=("Sci-Fi", "Comedy")),
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("scott", ("Ridley Scott",)),
        ("ridley", ("Ridley Scott",)),
        ("scott ridley", ("Ridley Scott",)),
        ("riddley scott", ("Ridley Scott",)),
        ("obannon", ("Dan O'Bannon",)),
        ("sig", ("Sigourney Weaver",)),
        ("zzz", ()),
    ],
)
def test_people_are_found_as_titles_are(text, people):
    assert SHELF.search(text).people == people


def test_who_made_most_stands_first():
    people = SearchEngine.build(
        [Document(n, f"Film {n}", people=("Ann Lee", "Anna Lee")[: 1 + n % 2]) for n in range(4)]
    )
    assert people.search("ann").people == ("Ann Lee", "Anna Lee")


def test_genres_are_found_by_their_beginning():
    assert SHELF.search("adv").genres == ("Adventure",)
    assert SHELF.search("sci").genres == ("Sci-Fi",)


def test_a_person_gives_the_films_and_the_group():
    result = SHELF.search("ridley scott")
    assert {hit.id for hit in result.hits} == {1, 2}
    assert result.people == ("Ridley Scott",)


def test_a_title_that_is_not_to_be_had_is_named_and_its_kin_offered():
    result = SHELF.search("the thing")
    assert result.unavailable == ("The Thing",)
    assert all(hit.id != 4 for hit in (*result.hits, *result.near))
    assert {hit.id for hit in result.near} <= {1, 2, 5}
    assert result.near


def test_a_mistake_in_such_a_title_is_forgiven_too():
    assert SHELF.search("the thign").unavailable == ("The Thing",)


def test_only_a_title_nearly_as_typed_is_named_so():
    assert SHELF.search("macready").unavailable == ()
    assert all(hit.id != 4 for hit in SHELF.search("macready").hits)


def test_every_score_is_the_sum_of_parts_told():
    likes = np.array([1, 5, 2, 9, 3], dtype=np.float32)
    hits = SHELF.search("s", affinity=likes, popularity=likes).hits
    assert all(set(hit.parts) == {"taste", "popularity"} for hit in hits)
    within = [(hit.band, -sum(hit.parts.values())) for hit in hits]
    assert within == sorted(within)
