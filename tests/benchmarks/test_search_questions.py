"""What the search benchmark counts as an answer."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.search_questions import Judge, Wanted, handed_questions, own_questions
from search.engine import Document

FILMS = [
    Document(1, "A", genres=("Sci-Fi",), year=1991, people=("Ann Lee",), directors=("Ann Lee",)),
    Document(2, "B", genres=("Science Fiction", "Comedy"), year=1985, people=("Ann Lee",)),
    Document(3, "C", genres=("Comedy",), year=1995, countries=("France", "Italy"), minutes=80),
]


@pytest.mark.parametrize(
    ("wanted", "answers"),
    [
        (Wanted("", (frozenset({"sci fi", "science fiction"}),)), [1, 2]),
        (Wanted("", years=(1990, 1999)), [1, 3]),
        (Wanted("", people=("ann lee",)), [1, 2]),
        (Wanted("", directors=("ann lee",)), [1]),
        (Wanted("", not_people=("ann lee",)), [3]),
        (Wanted("", (frozenset({"comedy"}),), not_genres=frozenset({"science fiction"})), [3]),
        (Wanted("", countries=frozenset({"italy"})), []),
        (Wanted("", countries=frozenset({"france"}), minutes=(1, 90)), [3]),
    ],
)
def test_a_film_answers_if_it_has_all_that_is_asked_for(wanted, answers):
    good = Judge(FILMS).answers(wanted)
    assert [film.id for film, is_good in zip(FILMS, good, strict=True) if is_good] == answers


def test_tags_are_read_and_what_cannot_be_compared_is_left_out(tmp_path):
    rows = [
        ("an early 90 s sci fi comedy with ann lee",
         "O B-Year I-Year I-Year B-Genre I-Genre I-Genre O B-Actor I-Actor"),
        ("a screwball comedy", "O B-Genre I-Genre"),
        ("who is it", "O O O"),
    ]  # fmt: skip
    table = {
        "query": [text for text, _ in rows],
        "tokens": [text.split() for text, _ in rows],
        "tags": [tags.split() for _, tags in rows],
    }
    pq.write_table(pa.table(table), tmp_path / "train.parquet")
    [asked] = handed_questions(tmp_path / "train.parquet", 10)
    assert asked.years == (1990, 1993)
    assert set(asked.genres) == {frozenset({"sci fi", "science fiction"}), frozenset({"comedy"})}
    assert asked.people == ("ann lee",)


def test_there_are_enough_questions_of_our_own_and_none_twice():
    texts = [wanted.text for wanted in own_questions()]
    assert len(texts) == len(set(texts)) >= 300
