"""What holds the words as typed stands before what holds them by a mistake."""

import numpy as np
import pytest

from search.engine import Document, SearchEngine
from search.retrieve import Band

STARS = {
    "Brad Pitt": ["Fight Club", "Se7en", "Snatch", "Troy", "Moneyball", "Fury"],
    "Christopher Nolan": ["Memento", "Insomnia", "Inception", "Dunkirk", "Tenet", "Following"],
    "Tom Hanks": ["Big", "Splash", "Cast Away", "Sully", "Greyhound", "Apollo 13"],
}
OTHERS = [
    ("Mitt", ("Someone Else",), ("Documentary",)),
    ("Pitt Stop", ("Nobody Known",), ("Horror",)),
    ("Pittsburgh Nights", ("Nolan Gerard Funk",), ("Horror",)),
    ("Damage", ("Nolan Gould",), ("Drama", "Romance")),
    ("Drama Queens", ("Nolan Hemmings",), ("Comedy",)),
    ("Contact", ("Jodie Foster",), ("Sci-Fi",)),
    ("Coma", ("Joel Coen",), ("Horror",)),
    ("XOXO", (), ("Music",)),
    ("Heat", (), ("Crime",)),
]
FILMS = [
    Document(n, name, people=people, genres=genres)
    for n, (name, people, genres) in enumerate(
        [(film, (star,), ("Drama",)) for star, films in STARS.items() for film in films] + OTHERS
    )
]
NAMES = [film.name for film in FILMS]
LIKED = np.array([5.0 if film.people[:1] and film.people[0] in STARS else 50.0 for film in FILMS])
SHELF = SearchEngine.build(FILMS)


def hits(text):
    return [NAMES[hit.id] for hit in SHELF.search(text, popularity=LIKED.astype(np.float32)).hits]


@pytest.mark.parametrize(
    ("surname", "person"),
    [("pitt", "Brad Pitt"), ("nolan", "Christopher Nolan"), ("hanks", "Tom Hanks")],
)
def test_a_surname_gives_its_films_first_and_its_bearer(surname, person):
    assert set(hits(surname)[:3]) <= set(STARS[person])
    assert set(hits(surname)) >= set(STARS[person])
    assert SHELF.search(surname, popularity=LIKED.astype(np.float32)).people[0] == person


def test_names_that_begin_so_stand_between_the_first_films_and_the_others():
    found = hits("pitt")
    assert found[3:5] == ["Pitt Stop", "Pittsburgh Nights"]
    assert set(found[5:8]) <= set(STARS["Brad Pitt"])
    assert found[-1] == "Mitt"


def test_nothing_is_corrected_where_something_holds_the_words_as_typed():
    assert SHELF.search("coen").corrected is None
    assert hits("coen")[0] == "Coma"
    assert SHELF.search("contatc").corrected == "Contact"


def test_a_genre_stands_before_names_that_are_nearly_it():
    result = SHELF.search("drama")
    assert all("Drama" in FILMS[hit.id].genres for hit in result.hits[:3])
    assert [hit.band for hit in result.hits[:3]] == [Band.KNOWN_FOR] * 3
    assert result.genres == ("Drama",)


@pytest.mark.parametrize(("text", "genre"), [("scary", "Horror"), ("romantic", "Romance")])
def test_another_word_for_a_genre_names_it(text, genre):
    result = SHELF.search(text)
    assert genre in FILMS[result.hits[0].id].genres
    assert result.genres[0] == genre


@pytest.mark.parametrize(("typed", "meant"), [("xxo", "XOXO"), ("hat", "Heat"), ("het", "Heat")])
def test_a_mistake_in_a_short_name_is_forgiven(typed, meant):
    assert meant in hits(typed)


def test_a_name_a_mistake_away_is_on_the_first_page_before_what_goes_on():
    films = [Document(n, f"Eat {n}") for n in range(20)] + [Document(20, "Beat")]
    found = [hit.id for hit in SearchEngine.build(films).search("eat", 30).hits]
    assert found.index(20) == 7
    assert len(found) == 21


def test_who_is_billed_first_in_more_films_is_better_known():
    films = [Document(n, f"Film {n}", people=("Ann Lee", "Bob Lee")) for n in range(3)]
    films += [Document(3, "Film 3", people=("Bob Lee",), genres=("Drama",))]
    assert SearchEngine.build(films[:3]).search("lee").people == ("Ann Lee", "Bob Lee")
    liked = np.array([0, 0, 0, 100], dtype=np.float32)
    assert SearchEngine.build(films).search("lee", popularity=liked).people[0] == "Bob Lee"


def test_a_word_of_more_names_than_somebody_has_films_is_not_that_person():
    """`christmas` is the feast: films of Eric Christmas come behind names with the word."""
    films = [Document(n, f"Film {n}", people=("Eric Christmas",)) for n in range(8)]
    feasts = [Document(10 + n, f"A Christmas Tale {n}") for n in range(9)]
    found = [hit.id for hit in SearchEngine.build([*films, *feasts]).search("christmas").hits]
    assert set(found[:9]) == {feast.id for feast in feasts}
    assert set(found[9:]) == {film.id for film in films}
    fewer = [hit.id for hit in SearchEngine.build([*films, *feasts[:2]]).search("christmas").hits]
    assert set(fewer[:3]) <= {film.id for film in films}


def test_words_of_one_name_are_not_looked_for_in_several():
    """`james bond` is no film with one James and somebody else called Bond."""
    films = [
        Document(0, "Def by Temptation", people=("James Bond III",)),
        Document(1, "The Maltese Falcon", people=("James Burke", "Ward Bond")),
    ]
    assert [hit.id for hit in SearchEngine.build(films).search("james bond").hits] == [0]
    alone = SearchEngine.build(films[1:]).search("james bond")
    assert [hit.band for hit in alone.hits] == [Band.SCATTERED]


def test_films_of_the_best_known_of_a_name_stand_before_those_of_others():
    ours = [Document(n, f"Film {n}", people=("Hayao Miyazaki",)) for n in range(4)]
    other = Document(9, "Ran", people=("Somebody", "Yoshiko Miyazaki"))
    engine = SearchEngine.build([*ours, other])
    liked = np.array([10, 10, 10, 10, 30], dtype=np.float32)
    assert engine.search("miyazaki", popularity=liked).hits[-1].id == other.id


def test_of_names_begun_but_for_a_mistake_those_with_the_word_stand_first():
    names = ["Alien Girl", "Alien Nation", "Ace in the Hole", "Acers in Love"]
    engine = SearchEngine.build(Document(n, name) for n, name in enumerate(names))
    liked = np.array([1, 1, 2, 2], dtype=np.float32)
    found = engine.search("alein", popularity=liked).hits
    assert [hit.id for hit in found][:2] == [0, 1]
    assert {hit.band for hit in found} == {Band.BEGINS_NEAR}


def first(shelf, text, liked):
    return [hit.id for hit in shelf.search(text, popularity=np.float32(liked)).hits]


def test_initials_find_a_name_where_nothing_holds_them():
    names = [
        "The Return of the King",
        "Rotor",
        "The Rock",
        "Reign of the Kings",
        "Riot on the Keys",
    ]
    shelf = SearchEngine.build([Document(n, name) for n, name in enumerate(names)])
    assert first(shelf, "rotk", [9, 0, 5, 1, 7])[:4] == [0, 4, 2, 3]
    assert first(shelf, "rot", [9, 0, 5, 1, 7])[0] == 1
    assert shelf.search("trotk").corrected == "The Return of the King"


def test_a_word_that_something_holds_is_no_initials():
    films = [
        Document(1, "Rotk"),
        Document(2, "The Return of the King"),
        Document(3, "Dusk", people=("Anna Loft",)),
        Document(4, "Land of Four Towers"),
    ]
    shelf = SearchEngine.build(films)
    assert first(shelf, "rotk", [0, 9, 0, 0]) == [1]
    assert first(shelf, "loft", [0, 0, 0, 9]) == [3]
    assert first(shelf, "lof", [0, 0, 0, 9]) == [3]
