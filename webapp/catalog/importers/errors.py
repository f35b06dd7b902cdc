"""What can be wrong with a file that is being loaded.

ImportRefused            nothing was loaded
├── FileRefused          the file cannot be read, or lacks a column
└── StrictRefused        a line was refused and --strict was asked for
BadValue                 one value of one line; becomes a Problem and the rest is loaded
"""

from dataclasses import dataclass

SHOWN_CHARACTERS = 60


class ImportRefused(Exception):
    """Nothing was loaded."""


class FileRefused(ImportRefused):
    """The file cannot be read, or lacks a column."""


class StrictRefused(ImportRefused):
    """A line was refused and nothing else may be loaded."""


class BadValue(ValueError):
    """A value that cannot be loaded; the message ends the sentence "column: value ..."."""


@dataclass(frozen=True)
class Problem:
    """A line that was refused, and why. `column` is empty where the whole line is at fault."""

    file: str
    line: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}"
        if not self.column:
            return f"{where}: {self.reason}"
        return f"{where}, column {self.column}: {_shown(self.value)} {self.reason}"


def _shown(value: str) -> str:
    if len(value) <= SHOWN_CHARACTERS:
        return printable(repr(value))
    return f"{printable(repr(value[:SHOWN_CHARACTERS]))}… ({len(value):,} characters)"


def printable(text: str) -> str:
    """The text with what no terminal can print (lone surrogates) spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
