"""The table of searches: it can be read, and search answers a part of it as it answers all."""

import pytest

from benchmarks.search_questions import Judge
from benchmarks.search_table import BAR, Search, answers_to, outcomes_of, searches
from search.engine import Document

FILMS = [
    Document(1, "A", genres=("Comedy", "Romance"), year=1991, people=("Ann Lee", "Bo Ek")),
    Document(2, "Romeo + B", genres=("Comedy",), year=1985, people=("Ann Lee",), minutes=80),
    Document(3, "C", genres=("Drama",), countries=("France", "Italy"), languages=("French",)),
]


@pytest.mark.parametrize(
    ("answer", "ids"),
    [
        ("title=A/C", [1, 3]),
        ("title=Romeo + B", [2]),
        ("genre=Comedy+Romance", [1]),
        ("genre=Comedy; genre!=Romance", [2]),
        ("genre=Romance/Drama", [1, 3]),
        ("year=1985-1991", [1, 2]),
        ("year=-1990", [2]),
        ("year=1991", [1]),
        ("minutes=-90", [2]),
        ("person=Ann Lee+Bo Ek", [1]),
        ("from=Italy/French", [3]),
        ("from!=French", [1, 2]),
    ],
)
def test_a_film_answers_if_it_meets_every_condition(answer, ids):
    met = answers_to(Search("kind", "text", answer), Judge(FILMS))
    assert [film.id for film, is_met in zip(FILMS, met, strict=True) if is_met] == ids


@pytest.mark.parametrize("answer", ["title=Z", "comedy", "year=1900"])
def test_a_line_that_nothing_can_answer_is_refused(answer):
    with pytest.raises(ValueError, match="text: "):
        answers_to(Search("kind", "text", answer), Judge(FILMS))


def test_there_are_enough_searches_of_each_kind_and_none_twice():
    texts = [search.text for search in searches()]
    assert len(texts) == len(set(texts)) >= 300
    kinds = [search.kind for search in searches()]
    assert {kind for kind in kinds if kinds.count(kind) < 8} == set()


def test_one_of_the_first_five_answers_a_fourth_of_them():
    outcome = outcomes_of(searches()[::4])["all"]
    assert sum(outcome.right) >= BAR * len(outcome.right), outcome.wrong
