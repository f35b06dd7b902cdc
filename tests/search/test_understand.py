"""What is read out of a text besides words to match."""

import numpy as np
import pytest

from search.engine import Document, SearchEngine
from search.query import FilterKind
from search.retrieve import Band

FILMS = [
    ("Heat", ("Crime", "Drama"), ("Al Pacino", "Robert De Niro"), ("English",), 1995),
    ("Carlito's Way", ("Crime",), ("Al Pacino",), ("English", "Spanish"), 1993),
    ("The Mask", ("Comedy",), ("Jim Carrey",), ("English",), 1994),
    ("Taxi", ("Comedy", "Action"), ("Samy Naceri",), ("French",), 1998),
    ("Delicatessen", ("Comedy", "Sci-Fi"), ("Dominique Pinon",), ("French",), 1991),
    ("Alien", ("Horror", "Sci-Fi"), ("Sigourney Weaver",), ("English",), 1979),
    ("Aliens", ("Action", "Sci-Fi"), ("Sigourney Weaver",), ("English",), 1986),
    ("Airplane!", ("Comedy",), ("Leslie Nielsen",), ("English",), 1980),
    ("1984", ("Drama", "Sci-Fi"), ("John Hurt",), ("English",), 1984),
    ("A Comedy of Terrors", ("Horror",), ("Vincent Price",), ("English",), 1964),
    ("Twenties in Paris", ("Drama",), (), ("French",), 2015),
]
NAMES = [name for name, *_ in FILMS]
SHELF = SearchEngine.build(
    Document(n, name, people=people, genres=genres, languages=languages, year=year)
    for n, (name, genres, people, languages, year) in enumerate(FILMS)
)


def asked(text):
    result = SHELF.search(text)
    return {NAMES[hit.id] for hit in result.hits}, [
        (f.kind, ("not " if f.is_negated else "") + f.value) for f in result.filters
    ]


GENRE, DECADE, YEAR = FilterKind.GENRE, FilterKind.DECADE, FilterKind.YEAR
YEARS, COUNTRY, LENGTH = FilterKind.YEARS, FilterKind.COUNTRY, FilterKind.LENGTH
AGE, KIND = FilterKind.AGE, FilterKind.KIND
LANGUAGE, PERSON, LIKE = FilterKind.LANGUAGE, FilterKind.PERSON, FilterKind.LIKE


@pytest.mark.parametrize(
    ("text", "found", "filters"),
    [
        ("90s comedy", {"The Mask", "Taxi", "Delicatessen"},
         [(DECADE, "1990s"), (GENRE, "Comedy")]),
        ("comedies from the nineties", {"The Mask", "Taxi", "Delicatessen"},
         [(GENRE, "Comedy"), (DECADE, "1990s")]),
        ("french comedy", {"Taxi", "Delicatessen"}, [(LANGUAGE, "French"), (GENRE, "Comedy")]),
        ("funny films in french", {"Taxi", "Delicatessen"},
         [(GENRE, "Comedy"), (LANGUAGE, "French")]),
        ("crime with al pacino", {"Heat", "Carlito's Way"},
         [(GENRE, "Crime"), (PERSON, "Al Pacino")]),
        ("al pacino 1995", {"Heat"}, [(PERSON, "Al Pacino"), (YEAR, "1995")]),
        ("comedy not about action", {"The Mask", "Delicatessen", "Airplane!"},
         [(GENRE, "Comedy"), (GENRE, "not Action")]),
        ("science fiction no horror", {"Aliens", "Delicatessen", "1984"},
         [(GENRE, "Sci-Fi"), (GENRE, "not Horror")]),
        ("sci-fi -horror -french", {"Aliens", "1984"},
         [(GENRE, "Sci-Fi"), (GENRE, "not Horror"), (LANGUAGE, "not French")]),
        ("action or comedy 1998", {"Taxi"},
         [(GENRE, "Action"), (GENRE, "Comedy"), (YEAR, "1998")]),
        ("1979 1986", {"Alien", "Aliens"}, [(YEAR, "1979"), (YEAR, "1986")]),
    ],
)  # fmt: skip
def test_filters_are_understood_and_hold(text, found, filters):
    assert asked(text) == (found, filters)


def test_a_name_that_reads_like_a_filter_is_a_name_first():
    result = SHELF.search("1984")
    assert NAMES[result.hits[0].id] == "1984"
    assert result.filters == ()


def test_filters_hold_though_a_word_beside_them_is_in_no_name():
    _, filters = asked("al pacino airplaen")
    assert filters == [(PERSON, "Al Pacino")]
    assert [NAMES[hit.id] for hit in SHELF.search("al pacino airplaen").hits[:2]] == [
        "Heat",
        "Carlito's Way",
    ]
    assert SHELF.search("airplaen comedy").filters != ()


def test_what_most_filters_hold_for_is_found_where_nothing_has_all():
    result = SHELF.search("al pacino comedy 1995")
    assert [f.value for f in result.filters] == ["Al Pacino", "Comedy", "1995"]
    assert NAMES[result.hits[0].id] == "Heat"
    assert result.hits[0].band == Band.FITS_MOST


def test_what_is_left_beside_filters_is_text():
    found, filters = asked("comedy del")
    assert (found, filters) == ({"Delicatessen"}, [(GENRE, "Comedy")])


def test_like_a_title_gives_its_neighbours_and_not_itself():
    result = SHELF.search("something like alien")
    names = [NAMES[hit.id] for hit in result.hits]
    assert names[0] == "Aliens"
    assert "Alien" not in names
    assert [(f.kind, f.value) for f in result.filters] == [(LIKE, "Alien")]


def test_taking_a_chip_away_leaves_the_rest_of_the_text():
    filters = SHELF.search("90s french comedy without action").filters
    assert [f.without for f in filters] == [
        "french comedy without action",
        "90s comedy without action",
        "90s french without action",
        "90s french comedy",
    ]
    assert [f.is_negated for f in filters] == [False, False, False, True]


@pytest.mark.parametrize(
    "text", ["-", "no", "like", "like nothing known", "with", "90s", "s", "-90s"]
)
def test_pieces_of_filters_are_answered(text):
    SHELF.search(text)


SHOP = [
    Document(
        1, "Alpha", genres=("Comedy",), year=1991, people=("Ann Director", "Bob Star"),
        directors=("Ann Director",), countries=("United Kingdom",), minutes=85, age=6,
    ),
    Document(
        2, "Beta", genres=("Comedy",), year=1994, people=("Bob Star", "Cy Other"),
        directors=("Bob Star",), countries=("United States", "United Kingdom"), minutes=130, age=16,
    ),
    Document(
        3, "Gamma", genres=("Horror",), year=2011, people=("Ann Director", "Dee Actor"),
        directors=("Ann Director",), countries=("United States",), minutes=95, age=16,
    ),
    Document(
        4, "Delta", genres=("Horror", "Comedy"), year=1958, people=("Bob Star", "Ann Director"),
        directors=("Eve Maker",), languages=("French", "English"), minutes=90,
        plot="A lighthouse keeper hides a stolen violin.",
    ),
    Document(5, "Epsilon", genres=("Drama",), year=2000, is_series=True, people=("Bob Star",)),
    Document(6, "Zeta", genres=("Drama",), year=1980, languages=("English", "French")),
    Document(7, "Saint Eta Fire", year=1985),
    Document(8, "Theta", people=("Ann Director",), directors=("Ann Director",), year=1970),
]  # fmt: skip
STORE = SearchEngine.build(SHOP)


def answered(text):
    result = STORE.search(text)
    return {hit.id for hit in result.hits}, [(f.kind, f.value) for f in result.filters]


@pytest.mark.parametrize(
    ("text", "ids", "filters"),
    [
        ("1990-1995 comedy", {1, 2}, [(YEARS, "1990–1995"), (GENRE, "Comedy")]),
        ("comedies 1990 – 1995", {1, 2}, [(GENRE, "Comedy"), (YEARS, "1990–1995")]),
        ("between 1990 and 1992", {1}, [(YEARS, "1990–1992")]),
        ("after 2000", {3}, [(YEARS, "after 2000")]),
        ("since 2000", {3, 5}, [(YEARS, "since 2000")]),
        ("before 1960", {4}, [(YEARS, "before 1960")]),
        ("2000 or later", {3, 5}, [(YEARS, "since 2000")]),
        ("90 s comedies", {1, 2}, [(DECADE, "1990s"), (GENRE, "Comedy")]),
        ("comedy from the early 90s", {1}, None),
        ("british comedy", {1}, [(COUNTRY, "United Kingdom"), (GENRE, "Comedy")]),
        ("french films", {4}, [(LANGUAGE, "French")]),
        ("films in french", {4, 6}, [(LANGUAGE, "French")]),
        ("comedies under 90 minutes", {1, 4}, [(GENRE, "Comedy"), (LENGTH, "under 90 minutes")]),
        ("movies over 2 hours", {2}, [(LENGTH, "over 2 hours")]),
        ("an hour and a half or less", {1, 4}, None),
        ("comedies for kids", set(), None),
        ("tv series with bob star", {5}, [(KIND, "Series"), (PERSON, "Bob Star")]),
        ("directed by ann director", {1, 3, 8}, [(PERSON, "Ann Director")]),
        ("films by bob star", {2}, [(PERSON, "Bob Star")]),
        ("starring bob star and ann director", {1, 4}, None),
        ("star movies", {1, 2, 4, 5}, [(PERSON, "Bob Star")]),
        ("horrer movies", {3, 4}, [(GENRE, "Horror")]),
        ("comedy but not horror", {1, 2}, None),
        ("comedy not starring bob star", set(), None),
        ("what is a good comedy from 1994", {2}, [(GENRE, "Comedy"), (YEAR, "1994")]),
    ],
)  # fmt: skip
def test_what_people_ask_for_is_understood(text, ids, filters):
    found, understood = answered(text)
    if ids:
        assert found == ids
    else:
        assert understood
    if filters is not None:
        assert understood == filters


def test_like_is_a_verb_behind_a_person():
    assert LIKE not in [kind for kind, _ in answered("i would like alpha people")[1]]
    assert (LIKE, "Alpha") in answered("movies like alpha")[1]


@pytest.mark.parametrize("text", ["alpha movie", "alpha full movie", "watch alpha online"])
def test_words_that_match_nothing_beside_a_name_are_dropped(text):
    assert STORE.search(text).hits[0].id == 1


@pytest.mark.parametrize("text", ["st eta fire", "saint eta fire", "St. Eta Fire"])
def test_a_shortened_word_is_the_word(text):
    assert STORE.search(text).hits[0].id == 7


def test_a_description_orders_what_the_filters_choose_by_meaning():
    text = "i am thinking of a comedy where the keeper of a lighthouse has stolen the violin"
    result = STORE.search(text)
    assert result.hits[0].id == 4
    assert result.hits[0].band == Band.FITS
    assert {hit.id for hit in result.hits[:3]} == {1, 2, 4}


def test_each_chip_leaves_the_text_without_it():
    filters = STORE.search("1990-1995 comedy under 90 minutes").filters
    assert [f.without for f in filters] == [
        "comedy under 90 minutes",
        "1990-1995 under 90 minutes",
        "1990-1995 comedy",
    ]


def shelf_of(*names, people=()):
    return SearchEngine.build(Document(n, name, people=people) for n, name in enumerate(names))


def first_of(shelf, names, text):
    result = shelf.search(text)
    return [names[hit.id] for hit in result.hits][:1], [f.kind for f in result.filters]


def test_a_name_before_movie_is_no_film_of_a_surname_in_it():
    names = ("The Lion King", "Rebecca", "Psycho", "Vertigo")
    shelf = shelf_of(*names, people=("Stephen King",))
    assert first_of(shelf, names, "lion king movie") == (["The Lion King"], [])
    assert first_of(shelf, names, "king movies") == (["Psycho"], [PERSON])


def test_an_article_goes_with_the_movie():
    names = ("Jaws", "Jaws: The Revenge")
    assert first_of(shelf_of(*names), names, "jaws the movie") == (["Jaws"], [])
    assert first_of(shelf_of(*names), names, "jaws full movie") == (["Jaws"], [])


def test_like_what_no_name_is_means_the_name_that_begins_so():
    shelf = shelf_of("Star Wars: Episode IV", "The Star", "Alien")
    [like] = shelf.search("films like star wars").filters
    assert (like.kind, like.value) == (LIKE, "Star Wars: Episode IV")
    [like] = shelf.search("films like the star").filters
    assert like.value == "The Star"


def test_like_means_the_most_liked_of_the_titles_that_it_may_be():
    shelf = shelf_of("Titanic", "Titanic", "Star Wars: Clones", "Star Wars: Episode IV", "Alien")
    liked = np.array([1, 9, 2, 8, 0], dtype=np.float32)
    [like] = shelf.search("films like star wars", popularity=liked).filters
    assert like.value == "Star Wars: Episode IV"
    found = shelf.search("like titanic", popularity=liked).hits
    assert 1 not in [hit.id for hit in found]
    assert [f.value for f in shelf.search("like star wars").filters] == ["Star Wars: Clones"]
