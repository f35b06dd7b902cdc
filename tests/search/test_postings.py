"""Words to documents: whole, begun, mistaken, joined and in digits."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recommender.arrays import Bool
from search.index.postings import Postings

TEXTS = [
    [["star", "wars"], ["george", "lucas"]],
    [["rocky", "ii"]],
    [["start", "again"], ["again"]],
    [],
]
ANY_TEXTS = st.lists(
    st.lists(st.lists(st.text("ab1", min_size=1, max_size=3), max_size=3), max_size=2), max_size=6
)


def documents(mask: Bool) -> list[int]:
    assert mask.dtype == bool
    return np.flatnonzero(mask).tolist()


def test_a_word_is_found_whole_and_by_its_beginning() -> None:
    postings = Postings(TEXTS)
    assert postings.num_documents == 4
    assert documents(postings.with_word("star")) == [0]
    assert documents(postings.with_prefix("star")) == [0, 2]
    assert documents(postings.with_word("sta")) == []
    assert "again" in postings
    assert "agai" not in postings


def test_a_number_is_found_in_digits_too_but_its_mistakes_are_not() -> None:
    postings = Postings(TEXTS)
    assert documents(postings.with_word("2")) == documents(postings.with_word("ii")) == [1]
    assert documents(postings.with_word_like("3", 1, is_open=False)) == []


def test_two_words_as_one_are_found_only_where_that_is_wanted() -> None:
    assert documents(Postings(TEXTS).with_word("starwars")) == []
    assert documents(Postings(TEXTS, joins=True).with_word("starwars")) == [0]
    assert documents(Postings(TEXTS, joins=True).with_word("warsgeorge")) == []


def test_a_mistaken_word_is_found_and_an_open_one_may_go_on() -> None:
    postings = Postings(TEXTS)
    assert documents(postings.with_word_like("lcuas", 1, is_open=False)) == [0]
    assert documents(postings.with_word_like("geogr", 1, is_open=False)) == []
    assert documents(postings.with_word_like("geogr", 1, is_open=True)) == [0]
    assert documents(postings.with_word_like("lcuas", 0, is_open=False)) == []


def test_the_nearest_word_has_fewest_mistakes_then_most_documents() -> None:
    postings = Postings([[["cat", "cart"]], [["cart"]], [["card"]]])
    assert postings.nearest("carx", 1) == "cart"
    assert postings.nearest("card", 1) == "card"
    assert postings.nearest("zzzz", 1) is None


@given(ANY_TEXTS, st.text("ab1", min_size=1, max_size=3))
def test_words_and_beginnings_are_those_a_plain_look_finds(
    texts: list[list[list[str]]], typed: str
) -> None:
    postings = Postings(texts)
    held = [{word for text in document for word in text} for document in texts]
    assert documents(postings.with_word(typed)) == [
        n for n, each in enumerate(held) if typed in each
    ]
    assert documents(postings.with_prefix(typed)) == [
        n for n, each in enumerate(held) if any(word.startswith(typed) for word in each)
    ]
    assert (typed in postings) == any(typed in each for each in held)
