"""The table of row kinds: codes that live rankers learned, properties, and a place in the docs."""

from pathlib import Path

import pytest

from recommender.ranking.features import FIELDS
from recommender.ranking.row_kinds import ROW_KINDS, THIS_VISIT, RowKind, row_id, row_kind

DOCS = Path(__file__).parents[2] / "docs" / "page.md"
LEARNED = {
    "this_visit": 1, "because_watched": 2, "top_picks": 3, "trending": 4, "from_likes": 5,
    "genre": 6, "new": 7, "continue_watching": 8, "my_list": 9, "suggestions": 10, "results": 11,
    "more_like": 12, "near": 13, "top_10": 14, "genre_pair": 15, "person": 16, "hidden_gems": 17,
    "watch_again": 18, "played_next": 19, "popular": 20, "typed": 21,
    "spotlight": 22,
}  # fmt: skip
"""Codes in rankers and slates that exist: a new kind is added at the end, none ever changes."""


def test_no_code_changes_and_each_is_of_one_kind():
    codes = {name: kind.code for name, kind in ROW_KINDS.items()}
    assert codes == LEARNED
    assert len(set(codes.values())) == len(codes)


def test_every_code_fits_the_rankers_field():
    size = next(field.num_values for field in FIELDS if field.name == "row")
    assert all(0 < kind.code < size for kind in ROW_KINDS.values())


@pytest.mark.parametrize("name", ROW_KINDS)
def test_the_docs_describe_every_kind(name):
    lines = [line for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    assert any(f"`{name}`" in line for line in lines)


def test_a_kind_that_is_no_longer_there_has_no_code_and_no_properties():
    assert row_kind("of_last_year") == RowKind("of_last_year", code=0)


def test_a_row_is_the_same_by_kind_and_key_and_of_this_visit_there_is_one():
    assert row_id("genre", 1) != row_id("genre", 2)
    assert row_id("genre", 1) != row_id("person", 1)
    assert row_id(THIS_VISIT, 1) == row_id(THIS_VISIT, 2)


def test_rows_that_the_viewer_fills_are_neither_personal_nor_pinned():
    for kind in ROW_KINDS.values():
        assert not (kind.is_kept_by_viewer and (kind.is_personal or kind.is_pinnable))
        assert not (kind.keeps_order and kind.is_reranked)
