"""One spelling for everything that means the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.text import as_written, fold, in_digits, joined_forms, without_article, words

ANY_TEXT = st.text(max_size=40)
ANY_WORDS = st.lists(st.text("abcdeivx", min_size=1, max_size=5), max_size=5)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  The   Godfather ", "the godfather"),
        ("Amélie", "amelie"),
        ("Ocean's Eleven", "oceans eleven"),
        ("Ocean’s Eleven", "oceans eleven"),
        ("Fast & Furious", "fast and furious"),
        ("Œdipus Æon Łódź Straße", "oedipus aeon lodz strasse"),
        ("Face/Off", "face off"),
        ("M*A*S*H", "m a s h"),
        ("ＦＵＬＬ ｗｉｄｔｈ", "full width"),
        ("七人の侍", "七人の侍"),
        ("?!", ""),
        ("", ""),
    ],
)
def test_marks_case_and_punctuation_do_not_count(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert words(text) == folded.split()


@given(ANY_TEXT)
def test_what_is_folded_stays_as_it_is(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_the_fast_way_for_ascii_gives_what_the_long_way_does(text: str) -> None:
    """A mark of another script at the end sends the same text the long way."""
    assert fold(text + " é").removesuffix("e").strip() == fold(text)


@pytest.mark.parametrize(
    ("written", "counted"),
    [
        ("rocky iv", ["rocky", "4"]),
        ("ocean eleven", ["ocean", "11"]),
        ("v for vendetta", ["v", "for", "vendetta"]),
        ("henry v", ["henry", "5"]),
        ("ii", ["2"]),
        ("three kings", ["3", "kings"]),
        ("high noon", ["high", "noon"]),
    ],
)
def test_numbers_are_told_in_digits(written: str, counted: list[str]) -> None:
    assert in_digits(written.split()) == counted


@given(ANY_WORDS)
def test_digits_are_told_once_and_word_by_word(found: list[str]) -> None:
    counted = in_digits(found)
    assert len(counted) == len(found)
    assert in_digits(counted) == counted


@pytest.mark.parametrize(
    ("written", "forms"),
    [
        ("star wars", ["starwars"]),
        ("the thing", ["thething", "thing"]),
        ("the two towers", ["thetwotowers", "twotowers", "the2towers", "2towers"]),
        ("the", ["the"]),
        ("", []),
    ],
)
def test_joined_forms_leave_article_and_spaces_out(written: str, forms: list[str]) -> None:
    assert joined_forms(written.split()) == forms


@given(ANY_WORDS)
def test_joined_forms_begin_as_typed_and_come_once(found: list[str]) -> None:
    forms = joined_forms(found)
    assert forms[:1] == ["".join(found)][: len(found)]
    assert len(set(forms)) == len(forms)
    assert all(" " not in form for form in forms)


def test_a_leading_article_falls_unless_nothing_is_left() -> None:
    assert without_article(["la", "strada"]) == ["strada"]
    assert without_article(["strada", "la"]) == ["strada", "la"]
    assert without_article(["a"]) == ["a"]
    assert without_article([]) == []


def test_as_written_keeps_marks_and_punctuation() -> None:
    assert as_written("  WALL·E  — Amélie! ") == "wall·e — amélie!"
