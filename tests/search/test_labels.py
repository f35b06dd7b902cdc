"""Labels that many documents share."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from search.index.labels import Labels

GENRES = Labels([["Western", "Drama"], [], ["Drama", "Drama"], ["Comédie"]])


def test_labels_are_numbered_as_they_come_and_counted_once_a_document() -> None:
    assert list(GENRES.labels) == ["Western", "Drama", "Comédie"]
    assert GENRES.counts.tolist() == [1, 2, 1]
    assert len(GENRES) == 3


def test_a_label_is_known_by_its_folded_name() -> None:
    assert GENRES.number_of("comedie") == 2
    assert GENRES.number_of("Drama") is None
    assert GENRES.number_of("dram") is None


def test_a_mask_marks_the_documents_of_a_label() -> None:
    assert GENRES.mask_of(1, 4).tolist() == [True, False, True, False]


def test_labels_are_found_by_name_and_by_word_like_documents_are() -> None:
    assert GENRES.names.equal_to("western").tolist() == [0]
    assert np.flatnonzero(GENRES.in_names.with_prefix("dr")).tolist() == [1]


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=4), max_size=8))
def test_masks_say_again_what_was_indexed(labels_of_documents: list[list[str]]) -> None:
    labels = Labels(labels_of_documents)
    count = len(labels_of_documents)
    for number, label in enumerate(labels.labels):
        plain = [label in document for document in labels_of_documents]
        assert labels.number_of(label) == number
        assert labels.mask_of(number, count).tolist() == plain
        assert labels.counts[number] == sum(plain)
