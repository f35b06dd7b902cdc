"""Strings in one buffer: a sequence of strings in, each by its index or a sorted range out.

A list of Python strings belongs to one process. Bytes and offsets are arrays, which processes can
map into memory and share. UTF-8 sorts as Python's strings do, by code point.

S strings.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from recommender.arrays import Int64, UInt8

ENCODING, SURROGATES = "utf-8", "surrogatepass"
AFTER_EVERY_CHARACTER = b"\xff"
"""No UTF-8 holds this byte: a prefix followed by it sorts behind all that begin so."""


class Strings:
    """A fixed sequence of strings."""

    def __init__(self, strings: Iterable[str]) -> None:
        encoded = [string.encode(ENCODING, SURROGATES) for string in strings]
        lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
        self._bounds: Int64 = np.concatenate([[0], np.cumsum(lengths)])  # (S + 1,)
        self._bytes: UInt8 = np.frombuffer(b"".join(encoded), dtype=np.uint8)

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __getitem__(self, index: int) -> str:
        """Return one string.

        Raises:
            IndexError: there is none; indices are from 0.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"there are {len(self)} strings, got index {index}")
        begin, end = self._bounds[index : index + 2].tolist()
        return self._bytes[begin:end].tobytes().decode(ENCODING, SURROGATES)

    def __iter__(self) -> Iterator[str]:
        return iter(self.take(np.arange(len(self))))

    def take(self, indices: Int64) -> list[str]:
        """Return the strings at these indices, in their order."""
        begins, ends = self._bounds[indices].tolist(), self._bounds[indices + 1].tolist()
        buffer = self._bytes.data
        return [
            str(buffer[begin:end], ENCODING, SURROGATES)
            for begin, end in zip(begins, ends, strict=True)
        ]


class SortedStrings(Strings):
    """Strings in order of their code points; equal ones may stand side by side."""

    def find(self, string: str) -> int | None:
        """Return the index of the first string equal to this, None where there is none."""
        first, last = self.equal_to(string)
        return first if last > first else None

    def equal_to(self, string: str) -> tuple[int, int]:
        """Return the range of the strings equal to this, where it would stand if it is empty."""
        key = string.encode(ENCODING, SURROGATES)
        first = self._first_from(key)
        return first, self._first_from(key + b"\0", first)

    def beginning_with(self, prefix: str) -> tuple[int, int]:
        """Return the range of the strings that begin so."""
        key = prefix.encode(ENCODING, SURROGATES)
        first = self._first_from(key)
        return first, self._first_from(key + AFTER_EVERY_CHARACTER, first)

    def _first_from(self, key: bytes, low: int = 0) -> int:
        """Return the index of the first string that is not below these bytes."""
        bounds, buffer, high = self._bounds.data, self._bytes.data, len(self)
        while low < high:
            middle = (low + high) // 2
            if bytes(buffer[bounds[middle] : bounds[middle + 1]]) < key:
                low = middle + 1
            else:
                high = middle
        return low


class Groups:
    """Numbers in groups, as two arrays: by group, the documents that hold a word, for example.

    Attributes:
        bounds: (S + 1,) where each group begins and ends.
        values: the numbers, group by group.
    """

    def __init__(self, groups: Iterable[Sequence[int]]) -> None:
        lists = list(groups)
        self.bounds: Int64 = np.concatenate([[0], np.cumsum([len(group) for group in lists])])
        self.bounds = self.bounds.astype(np.int64)
        self.values = np.fromiter(
            (value for group in lists for value in group),
            dtype=np.int32,
            count=int(self.bounds[-1]),
        )

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def counts(self) -> Int64:
        """(S,) how many numbers each group has."""
        return np.diff(self.bounds)

    def of(self, group: int) -> Int64:
        """Return the numbers of one group."""
        return self.between(group, group + 1)

    def between(self, first: int, last: int) -> Int64:
        """Return the numbers of the groups from the first up to the last, which is left out."""
        return self.values[self.bounds[first] : self.bounds[last]].astype(np.int64)


def sorted_groups(groups: dict[str, list[int]]) -> tuple[SortedStrings, Groups]:
    """Return the keys in order, and their numbers in the same order."""
    keys = sorted(groups)
    return SortedStrings(keys), Groups(groups[key] for key in keys)
