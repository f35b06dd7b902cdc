"""What is read out of a text besides words to match."""

import pytest

from search.engine import Document, SearchEngine
from search.query import FilterKind

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


def test_a_filter_that_leaves_nothing_was_not_meant():
    assert asked("al pacino airplaen")[1] == []
    assert SHELF.search("airplaen comedy").filters != ()


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
