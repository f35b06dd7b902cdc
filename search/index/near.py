"""Strings at most a mistake or two away from a text, out of many.

A mistake is a letter put in, left out, replaced, or swapped with the next: the optimal string
alignment of rapidfuzz counts them. It is asked only about strings that pass a sieve: each mistake
changes at most one letter of the set that a string is made of on either side, so that
|letters(a) - letters(b)| and |letters(b) - letters(a)| are at most the mistakes allowed. Sets of
letters are 64 bits, compared for all strings at once.

S strings.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

Places = NDArray[np.int64]

LONGEST_BEGINNING = 16
"""Beginnings longer than this are compared by rapidfuzz, once these letters were."""
_OTHERS = 64 - 36
"""Bits for what is neither a Latin letter nor a digit."""


class NearStrings:
    """A fixed sequence of strings."""

    def __init__(self, strings: Sequence[str]) -> None:
        lengths = np.fromiter(map(len, strings), dtype=np.int64, count=len(strings))
        self._order = np.argsort(lengths, kind="stable")  # (S,)
        self._lengths = lengths[self._order].astype(np.int16)  # (S,)
        self._strings = [strings[n] for n in self._order.tolist()]
        self._letters = np.array([_letters(s) for s in self._strings], dtype=np.uint64)  # (S,)
        self._beginnings = _beginnings(self._strings)  # (LONGEST_BEGINNING, S)

    def near(self, text: str, mistakes: int) -> tuple[Places, NDArray[np.uint8]]:
        """Return the places of the strings so near, and how many mistakes away each is."""
        first, last = self._of_length(len(text) - mistakes, len(text) + mistakes)
        letters = self._letters[first:last]
        typed = np.uint64(_letters(text))
        passed = first + np.flatnonzero(
            (np.bitwise_count(typed & ~letters) <= mistakes)
            & (np.bitwise_count(letters & ~typed) <= mistakes)
        )
        distances = _distances(text, [self._strings[n] for n in passed.tolist()], mistakes)
        near = self._with_the_same_numbers(text, np.flatnonzero(distances <= mistakes), passed)
        return self._order[passed[near]], distances[near]

    def beginning_near(self, text: str) -> Places:
        """Return the places of the strings that begin with something one mistake away at most.

        Where a text and a beginning part, the one mistake is made; from there on they must agree
        again, a letter on, a letter back, or in step: LONGEST_BEGINNING comparisons of all
        strings at once, which are asked to hold nearly all letters first.
        """
        first, last = self._of_length(len(text) - 1, int(self._lengths[-1:].sum()))
        missing = np.uint64(_letters(text)) & ~self._letters[first:last]
        passed = first + np.flatnonzero(np.bitwise_count(missing) <= 1)
        begins = _begins_with_one_mistake(text, self._beginnings[:, passed])
        passed = passed[begins]
        near = np.arange(len(passed))
        if len(text) >= LONGEST_BEGINNING:
            near = np.flatnonzero(self._distances_of_beginnings(text, passed) <= 1)
        return self._order[passed[self._with_the_same_numbers(text, near, passed)]]

    def _distances_of_beginnings(self, text: str, passed: Places) -> NDArray[np.uint8]:
        strings = [self._strings[n] for n in passed.tolist()]
        return np.minimum.reduce(
            [
                _distances(text, [s[: len(text) + longer] for s in strings], 1)
                for longer in (-1, 0, 1)
            ]
        )

    def _of_length(self, shortest: int, longest: int) -> tuple[int, int]:
        first, last = np.searchsorted(self._lengths, [shortest, longest + 1])
        return int(first), int(last)

    def _with_the_same_numbers(self, text: str, near: Places, passed: Places) -> Places:
        if not any(map(str.isdigit, text)):
            return near
        strings = (self._strings[passed[n]][: len(text) + 1] for n in near.tolist())
        kept = [_may_be_one_number(text, string) for string in strings]
        return near[np.array(kept, dtype=bool)]


def _distances(text: str, strings: Sequence[str], mistakes: int) -> NDArray[np.uint8]:
    if not strings:
        return np.empty(0, dtype=np.uint8)
    found: NDArray[np.uint8] = process.cdist(
        [text], strings, scorer=OSA.distance, score_cutoff=mistakes, dtype=np.uint8, workers=1
    )[0]
    return found


def _beginnings(strings: Sequence[str]) -> NDArray[np.uint16]:
    """Return (LONGEST_BEGINNING, S) the first letters, 0 after the end of a string."""
    padded = [s[:LONGEST_BEGINNING].ljust(LONGEST_BEGINNING, "\0") for s in strings]
    letters = np.array(padded, dtype=f"U{LONGEST_BEGINNING}").view(np.uint32)
    square = letters.reshape(len(strings), LONGEST_BEGINNING)
    return np.ascontiguousarray(square.T.astype(np.uint16))


def _begins_with_one_mistake(text: str, beginnings: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Return (S,) True where a beginning is at most one mistake away from the text."""
    size = min(len(text), LONGEST_BEGINNING - 1)
    typed = np.array([ord(letter) & 0xFFFF for letter in text[:size]], dtype=np.uint16)
    count = beginnings.shape[1]
    true = np.ones(count, dtype=bool)
    in_step = [beginnings[n] == typed[n] for n in range(size)]
    a_letter_on = [beginnings[n + 1] == typed[n] for n in range(size)]
    a_letter_back = [true, *(beginnings[n - 1] == typed[n] for n in range(1, size))]
    agrees, agrees_on, agrees_back = true, true, true
    """From the letter after n to the last, in step, and as one was left out or put in at n."""
    found = np.zeros(count, dtype=bool)
    agrees_up_to = [true]
    for same in in_step:
        agrees_up_to.append(agrees_up_to[-1] & same)
    for n in range(size - 1, -1, -1):
        mended = agrees | agrees_back | (a_letter_on[n] & agrees_on)
        if n + 1 < size:
            is_swapped = a_letter_on[n] & a_letter_back[n + 1]
            after = agrees_after_next
            mended |= is_swapped & after
        found |= agrees_up_to[n] & mended
        agrees_after_next = agrees
        agrees = agrees & in_step[n]
        agrees_on = agrees_on & a_letter_on[n]
        agrees_back = agrees_back & a_letter_back[n]
    return found | agrees_up_to[size]


class _Bits(dict[str, int]):
    """The bit of each letter: one each for a-z and digits, shared ones for all others."""

    def __missing__(self, letter: str) -> int:
        if "a" <= letter <= "z":
            bit = 1 << (ord(letter) - ord("a"))
        elif "0" <= letter <= "9":
            bit = 1 << (26 + ord(letter) - ord("0"))
        else:
            bit = 1 << (36 + ord(letter) % _OTHERS)
        self[letter] = bit
        return bit


_BIT = _Bits()


def _letters(text: str) -> int:
    found = 0
    for letter in set(text):
        found |= _BIT[letter]
    return found


def _may_be_one_number(typed: str, other: str) -> bool:
    """Whether a mistake may lie between: `1917` is not `1911`, while `se7en` may be `seven`."""
    number, of_other = (_only(str.isdigit, text) for text in (typed, other))
    if number == of_other:
        return True
    if len(number) == len(of_other) or _only(str.isalpha, typed) == _only(str.isalpha, other):
        return False
    short, long = sorted((number, of_other), key=len)
    rest = iter(long)
    return all(digit in rest for digit in short)


def _only(is_kept: Callable[[str], bool], text: str) -> str:
    return "".join(filter(is_kept, text))
