import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.index.strings import Groups, SortedStrings, Strings, sorted_groups

TEXTS = st.lists(st.text(max_size=6), max_size=20)


@given(TEXTS)
def test_strings_come_back_as_they_were_in_every_script(texts):
    strings = Strings(texts)
    assert list(strings) == texts
    assert [strings[n] for n in range(len(texts))] == texts
    backwards = np.arange(len(texts))[::-1]
    assert strings.take(backwards) == texts[::-1]


def test_there_is_no_string_past_the_end():
    with pytest.raises(IndexError, match="there are 2 strings, got index 2"):
        Strings(["a", "b"])[2]
    with pytest.raises(IndexError):
        Strings([])[0]


@given(TEXTS, st.text(max_size=6))
def test_a_sorted_range_is_what_a_scan_finds(texts, text):
    strings = SortedStrings(sorted(texts))
    first, last = strings.equal_to(text)
    assert list(strings)[first:last] == [other for other in sorted(texts) if other == text]
    first, last = strings.beginning_with(text)
    expected = [other for other in sorted(texts) if other.startswith(text)]
    assert list(strings)[first:last] == expected
    assert (strings.find(text) is not None) == (text in texts)


def test_the_highest_character_stands_behind_its_prefix_too():
    highest = "a" + chr(0x10FFFF)
    strings = SortedStrings(["a", highest, highest + "b", "b"])
    assert strings.beginning_with("a") == (0, 3)
    assert strings.find(highest) == 1
    assert strings.find("a\0") is None


def test_half_a_surrogate_pair_is_a_string_like_any_other():
    assert SortedStrings(["a", "\ud800"]).find("\ud800") == 1


def test_groups_give_their_numbers_one_by_one_and_in_ranges():
    groups = Groups([[3, 1], [], [2]])
    assert groups.of(0).tolist() == [3, 1]
    assert groups.of(1).tolist() == []
    assert groups.between(0, 3).tolist() == [3, 1, 2]
    assert groups.counts.tolist() == [2, 0, 1]
    assert len(Groups([])) == 0


def test_sorted_groups_keep_each_key_with_its_numbers():
    keys, groups = sorted_groups({"b": [1], "a": [2, 3]})
    assert list(keys) == ["a", "b"]
    assert [groups.of(n).tolist() for n in range(2)] == [[2, 3], [1]]
