"""Whole names: equal, beginning with, or a mistake or two away."""

from hypothesis import given
from hypothesis import strategies as st

from search.index.names import Names, initials_of
from search.text import joined_forms, words

FILMS = Names([["The Thing"], ["Thing from Mars", "Das Ding"], ["Solaris"], ["Солярис", "solaris"]])
ANY_NAMES = st.lists(st.text("abt he", max_size=6), min_size=1, max_size=8)


def test_a_name_as_written_is_found_whatever_its_case_and_blanks() -> None:
    assert FILMS.written(" the  THING").tolist() == [0]
    assert FILMS.written("thing").tolist() == []
    assert FILMS.written("SOLARIS").tolist() == [2, 3]


def test_an_equal_name_may_leave_article_and_spaces_out() -> None:
    assert FILMS.equal_to("thing").tolist() == [0]
    assert FILMS.equal_to("thething").tolist() == [0]
    assert FILMS.equal_to("ding").tolist() == [1]
    assert FILMS.equal_to("solaris").tolist() == [2, 3]
    assert FILMS.equal_to("sol").tolist() == []


def test_a_beginning_tells_how_many_letters_are_left() -> None:
    documents, left = FILMS.beginning_with("thing")
    assert dict(zip(documents.tolist(), left.tolist(), strict=True)) == {0: 0, 1: len("frommars")}


def test_a_letter_too_few_is_one_mistake_and_a_swap_is_another() -> None:
    assert set(FILMS.near("solris", 1).tolist()) == {2, 3}
    assert set(FILMS.near("slorsi", 1).tolist()) == set()
    assert set(FILMS.near("slorsi", 2).tolist()) == set()
    assert set(FILMS.near("oslarsi", 2).tolist()) == {2, 3}


def test_a_beginning_may_hold_one_mistake() -> None:
    assert 1 in FILMS.beginning_near("thingfrmo").tolist()
    assert FILMS.beginning_near("zzzzzz").tolist() == []


@given(ANY_NAMES, st.text("abthe", max_size=4))
def test_beginnings_are_those_a_plain_look_finds(names: list[str], typed: str) -> None:
    index = Names([[name] for name in names])
    documents, left = index.beginning_with(typed)
    plain = sorted(
        (document, len(form) - len(typed))
        for document, name in enumerate(names)
        for form in joined_forms(words(name))
        if form.startswith(typed)
    )
    assert sorted(zip(documents.tolist(), left.tolist(), strict=True)) == plain
    equal = [document for document, letters in plain if letters == 0]
    assert sorted(index.equal_to(typed).tolist()) == equal


def test_a_name_of_four_words_has_initials_and_so_have_its_parts() -> None:
    name = "The Lord of the Rings: The Return of the King"
    assert set(initials_of(name)) == {"tlotrtrotk", "lotrtrotk", "tlotr", "lotr", "trotk", "rotk"}
    assert set(initials_of("Кин-дза-дза и все вокруг")) == {"кддивв"}
    assert list(initials_of("The Dark Knight")) == []
    assert list(initials_of("千と千尋の神隠し one two three")) == []


def test_initials_find_each_document_once() -> None:
    index = Names([["Back to the Future", "Back To The Future"], ["Blood Feud"], ["Bttf"]])
    assert index.with_initials("bttf").tolist() == [0]
    assert index.with_initials("btt").tolist() == []
