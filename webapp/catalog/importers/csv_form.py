"""The form of a CSV file: its first bytes go in, its encoding and its separator come out.

    encoding    UTF-8; UTF-16 where it begins with that byte order mark; Windows-1252 where more
                lines hold other bytes than those of UTF-8
    separator   comma, semicolon or tab: whichever cuts the header into most columns

What differs from UTF-8 and commas is said in a sentence, so that nobody is surprised. Lines may end
as on any system.
"""

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LOOKED_AT_BYTES = 16_000_000
"""Of a larger file, what comes later is taken to be of the same encoding."""
LONGEST_LINE = 1_000_000
UTF_16 = {b"\xff\xfe": "UTF-16, little-endian", b"\xfe\xff": "UTF-16, big-endian"}
UTF_8, OLD = "utf-8-sig", "cp1252"
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True)
class CsvForm:
    """How a file is to be read.

    Attributes:
        encoding: a codec of Python's.
        separator: of the values of a line.
        notes: a sentence for each thing that is unusual.
    """

    encoding: str
    separator: str
    notes: tuple[str, ...]


def form_of(path: Path) -> CsvForm:
    """Look at a file.

    Raises:
        OSError: it cannot be read.
    """
    notes = []
    with path.open("rb") as file:
        encoding, name = _encoding_of(file)
    if name:
        notes.append(f"{path.name} is read as {name}.")
    header = next(text_lines(path, encoding), "")
    columns = {separator: len(_cut(header, separator)) for separator in SEPARATORS}
    separator = max(SEPARATORS, key=lambda one: columns[one])  # a comma, where several cut alike
    if separator != ",":
        notes.append(f"The values of {path.name} are separated by {SEPARATORS[separator]}.")
    return CsvForm(encoding, separator, tuple(notes))


def text_lines(
    path: Path, encoding: str, note_offset: Callable[[int], object] = lambda offset: None
) -> Iterator[str]:
    """Yield lines with their ends; what is no text in the encoding becomes a lone surrogate.

    A line that is far too long comes in pieces.

    Args:
        path: of the file.
        encoding: a codec.
        note_offset: called with how many bytes were read.
    """
    errors = "surrogateescape" if encoding == UTF_8 else "replace"
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding, errors, newline="") as file:
        while line := file.readline(LONGEST_LINE):
            note_offset(raw.tell())
            yield line


class Records:
    """The records of a CSV file, one after the other; a bad one costs its first line alone.

    A quote that is not closed would take in all that follows. Where a record of several lines is
    refused, those behind its first are read anew, each for itself.
    """

    def __init__(self, lines: Iterator[str], separator: str) -> None:
        self.line = 0
        """The number of the line that the latest record begins with, from 1."""
        self._lines = lines
        self._separator = separator
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._read = 0
        self._reader = self._new_reader()

    def next(self) -> list[str] | None:
        """Return the values of the next record; None at the end of the file.

        Raises:
            csv.Error: it is none; `refuse` lets reading go on behind its first line.
        """
        self._taken = []
        self.line = self._read + 1
        return next(self._reader, None)

    @property
    def num_lines(self) -> int:
        """How many lines the latest record took."""
        return len(self._taken)

    def refuse(self) -> None:
        """Go on behind the first line of the latest record."""
        again = self._taken[1:]
        self._again.extendleft(reversed(again))
        self._read -= len(again)
        self._reader = self._new_reader()

    def _new_reader(self) -> "Iterator[list[str]]":
        return csv.reader(self._counted(), strict=True, delimiter=self._separator)

    def _counted(self) -> Iterator[str]:
        while True:
            line = self._again.popleft() if self._again else next(self._lines, None)
            if line is None:
                return
            self._read += 1
            self._taken.append(line)
            yield line


def _encoding_of(file: IO[bytes]) -> tuple[str, str]:
    """Return a codec, and its name where it is not UTF-8."""
    begins = file.read(2)
    if begins in UTF_16:
        return "utf-16", UTF_16[begins]
    file.seek(0)
    good = bad = 0
    for line in file.read(LOOKED_AT_BYTES).splitlines():
        if line.isascii():
            continue
        try:
            line.decode()
        except UnicodeDecodeError:
            bad += 1
        else:
            good += 1
    return (OLD, "Windows-1252, for it is not UTF-8") if bad > good else (UTF_8, "")


def _cut(header: str, separator: str) -> Sequence[str]:
    try:
        return next(csv.reader([header], delimiter=separator), [])
    except csv.Error:
        return []
