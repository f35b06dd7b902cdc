"""Strings at most a mistake or two away from a text, out of many.

A mistake is a letter put in, left out, replaced, or swapped with the next: the optimal string
alignment of rapidfuzz counts them. It is asked only about strings that pass two sieves: a mistake
changes at most one letter of the set that a string is made of on either side, and at most three
of its pairs of neighbours. Sets are 64 bits, compared for all strings at once.

S strings.
"""

from collections.abc import Callable, Sequence

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from recommender.arrays import Bool, Int64, UInt8, UInt16, UInt64
from search.index.strings import Strings

LONGEST_BEGINNING = 16
"""Beginnings longer than this are compared by rapidfuzz, once these letters were."""
BEGUN = (6, 9, 12, LONGEST_BEGINNING)
"""Lengths of beginnings whose letters are kept."""
PAIRS_A_MISTAKE = 3
"""A swap changes three pairs of neighbours, any other mistake fewer."""


class NearStrings:
    """A fixed sequence of strings."""

    def __init__(self, strings: Sequence[str]) -> None:
        lengths = np.fromiter(map(len, strings), dtype=np.int64, count=len(strings))
        self._order = np.argsort(lengths, kind="stable")  # (S,)
        by_length = [strings[n] for n in self._order.tolist()]
        self._strings = Strings(by_length)  # (S,) the shortest first
        longest = int(lengths.max(initial=0))
        self._first = np.searchsorted(lengths[self._order], np.arange(longest + 2)).tolist()
        """The place of the first string of each length."""
        self._letters, self._pairs = _sets_of(by_length)  # (S,), (S,)
        self._beginnings = _beginnings(by_length)  # (LONGEST_BEGINNING, S)
        begun = np.bitwise_or.accumulate(_BITS[self._beginnings], axis=0)
        self._begun_letters = {size: begun[size - 1].copy() for size in BEGUN}

    def near(self, text: str, mistakes: int) -> tuple[Int64, UInt8]:
        """Return the places of the strings so near, and how many mistakes away each is."""
        first, last = self._from(len(text) - mistakes), self._from(len(text) + mistakes + 1)
        letters = self._letters[first:last]
        typed = _letters(text)
        passed = first + np.flatnonzero(
            (np.bitwise_count(typed & ~letters) <= mistakes)
            & (np.bitwise_count(letters & ~typed) <= mistakes)
        )
        missing = _pairs(text) & ~self._pairs[passed]
        passed = passed[np.bitwise_count(missing) <= PAIRS_A_MISTAKE * mistakes]
        distances = _distances(text, self._strings.take(passed), mistakes)
        near = self._with_the_same_numbers(text, np.flatnonzero(distances <= mistakes), passed)
        return self._order[passed[near]], distances[near]

    def beginning_near(self, text: str) -> Int64:
        """Return the places of the strings that begin with something one mistake away at most.

        Where a text and a beginning part, the one mistake is made; from there on they must agree
        again, a letter on, a letter back, or in step: LONGEST_BEGINNING comparisons of all
        strings at once, which are asked to hold nearly all letters first.
        """
        first = self._from(len(text) - 1)
        size = next((size for size in BEGUN if size > len(text)), None)
        letters = self._letters if size is None else self._begun_letters[size]
        missing = _letters(text) & ~letters[first:]
        passed = first + np.flatnonzero(np.bitwise_count(missing) <= 1)
        passed = passed[_begins_with_one_mistake(text, self._beginnings[:, passed])]
        near = np.arange(len(passed))
        if len(text) >= LONGEST_BEGINNING:
            near = np.flatnonzero(self._distances_of_beginnings(text, passed) <= 1)
        return self._order[passed[self._with_the_same_numbers(text, near, passed)]]

    def _distances_of_beginnings(self, text: str, passed: Int64) -> UInt8:
        strings = self._strings.take(passed)
        fewest = np.full(len(strings), 2, dtype=np.uint8)
        for size in range(len(text) - 1, len(text) + 2):
            np.minimum(fewest, _distances(text, [s[:size] for s in strings], 1), out=fewest)
        return fewest

    def _from(self, length: int) -> int:
        """Return the place of the first string that is at least so long."""
        return int(self._first[min(max(length, 0), len(self._first) - 1)])

    def _with_the_same_numbers(self, text: str, near: Int64, passed: Int64) -> Int64:
        """Return those of the near ones that no number of the text is mistaken in."""
        if not any(map(str.isdigit, text)):
            return near
        strings = self._strings.take(passed[near])
        kept = [_may_be_one_number(text, string[: len(text) + 1]) for string in strings]
        return np.asarray(near[np.array(kept, dtype=bool)], dtype=np.int64)


def _distances(text: str, strings: Sequence[str], mistakes: int) -> UInt8:
    if not strings:
        return np.empty(0, dtype=np.uint8)
    found: UInt8 = process.cdist(
        [text], strings, scorer=OSA.distance, score_cutoff=mistakes, dtype=np.uint8, workers=1
    )[0]
    return found


def _beginnings(strings: Sequence[str]) -> UInt16:
    """Return (LONGEST_BEGINNING, S) the first letters, 0 after the end of a string."""
    padded = "".join(s[:LONGEST_BEGINNING].ljust(LONGEST_BEGINNING, "\0") for s in strings)
    return np.ascontiguousarray(_codes(padded).reshape(-1, LONGEST_BEGINNING).T)


def _begins_with_one_mistake(text: str, beginnings: UInt16) -> Bool:
    """Return (S,) True where a beginning is at most one mistake away from the text.

    Row n of the arrays below is about the text's letter n.
    """
    size = min(len(text), LONGEST_BEGINNING - 1)
    typed = _codes(text[:size])[:, None]
    in_step = beginnings[:size] == typed
    a_letter_on = beginnings[1 : size + 1] == typed
    a_letter_back = np.ones_like(in_step)
    a_letter_back[1:] = beginnings[: size - 1] == typed[1:]
    before = np.ones((size + 1, in_step.shape[1]), dtype=bool)
    np.logical_and.accumulate(in_step, out=before[1:])
    after, after_on, after_back = map(_to_the_end, (in_step, a_letter_on, a_letter_back))
    replaced_or_put_in, left_out = after[1:-1] | after_back[1:-1], after_on[:-2]
    swapped = np.zeros_like(in_step)
    swapped[:-1] = a_letter_on[:-1] & a_letter_back[1:]
    mended = replaced_or_put_in | left_out | (swapped & after[2:])
    found: Bool = before[-1] | (before[:-1] & mended).any(axis=0)
    return found


def _to_the_end(same: Bool) -> Bool:
    """Return two rows more: whether all letters from one on are the same."""
    kept = np.ones((len(same) + 2, same.shape[1]), dtype=bool)
    kept[:-2] = np.logical_and.accumulate(same[::-1])[::-1]
    return kept


def _bits() -> UInt64:
    """Return (65536,) the bit of each letter: one each for a-z and digits, else shared ones."""
    codes = np.arange(0x10000)
    places = 36 + codes % (64 - 36)
    places[ord("a") : ord("z") + 1] = np.arange(26)
    places[ord("0") : ord("9") + 1] = 26 + np.arange(10)
    bits = np.left_shift(np.uint64(1), places.astype(np.uint64))
    bits[0] = 0
    return bits


_BITS = _bits()


def _codes(text: str) -> UInt16:
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint16)


def _sets_of(strings: Sequence[str]) -> tuple[UInt64, UInt64]:
    """Return (S,) the letters of each string, and (S,) its pairs of neighbours."""
    lengths = np.fromiter(map(len, strings), dtype=np.int64, count=len(strings))
    codes = _codes("".join(strings))
    letters, pairs = _BITS[codes], np.zeros(len(codes), dtype=np.uint64)
    pairs[:-1] = _pair_bits(codes)
    ends = np.cumsum(lengths)
    pairs[ends[lengths > 0] - 1] = 0  # what one string ends and the next begins with is no pair
    found = np.zeros((2, len(strings)), dtype=np.uint64)
    if len(codes):
        begins = (ends - lengths)[lengths > 0]
        for row, bits in enumerate((letters, pairs)):
            found[row, lengths > 0] = np.bitwise_or.reduceat(bits, begins)
    return found[0], found[1]


def _pair_bits(codes: UInt16) -> UInt64:
    mixed = (31 * codes[:-1].astype(np.uint64) + codes[1:]) & np.uint64(63)
    bits: UInt64 = np.left_shift(np.uint64(1), mixed)
    return bits


def _letters(text: str) -> np.uint64:
    return np.uint64(np.bitwise_or.reduce(_BITS[_codes(text)]))


def _pairs(text: str) -> np.uint64:
    return np.uint64(np.bitwise_or.reduce(_pair_bits(_codes(text)), initial=np.uint64(0)))


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
