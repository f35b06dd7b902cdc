"""Errors of an import: those that stop it, and the problems of single lines that do not.

ImportRefused            nothing was loaded
├── FileRefused          the file cannot be read, or lacks a column
└── StrictRefused        a line was refused and --strict was set
BadValue                 one value of one line; becomes a Problem and the rest is loaded
"""

from dataclasses import dataclass

SHOWN_CHARACTERS = 60


class ImportRefused(Exception):
    """Nothing was loaded."""


class FileRefused(ImportRefused):
    """The file cannot be read, or lacks a column."""


class StrictRefused(ImportRefused):
    """A line was refused and --strict was set."""


class BadValue(ValueError):
    """A value that cannot be loaded; the message ends the sentence "column: value ..."."""


@dataclass(frozen=True)
class Problem:
    """A refused line and the reason. `column` is empty if the whole line is at fault."""

    file: str
    line: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        location = f"{self.file}, line {self.line}"
        if not self.column:
            return f"{location}: {self.reason}"
        return f"{location}, column {self.column}: {_shortened(self.value)} {self.reason}"


def _shortened(value: str) -> str:
    if len(value) <= SHOWN_CHARACTERS:
        return printable(repr(value))
    return f"{printable(repr(value[:SHOWN_CHARACTERS]))}… ({len(value):,} characters)"


def printable(text: str) -> str:
    """Return the text with lone surrogates, which no terminal can print, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
