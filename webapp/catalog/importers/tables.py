"""Read CSV, Parquet and JSONL line by line, as one kind of table; a file is never held whole."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from webapp.catalog.importers.errors import FileRefused, Problem

PARQUET_ROWS = 10_000
JSON_LINE_BYTES = 1_000_000
CSV_FIELD_CHARACTERS = csv.field_size_limit()
SUFFIXES = (".csv", ".parquet", ".jsonl")


class Row(NamedTuple):
    """One line's values, in the order of the table's columns."""

    line: int
    values: Sequence[object]


@dataclass(frozen=True)
class Table:
    """Lines of one file under named columns. Can be read once."""

    file: str
    columns: tuple[str, ...]
    rows: Iterable[Row | Problem]
    size: int = 0
    """How far `position` will go; 0 where unknown."""
    unit: str = "lines"
    position: Callable[[], int] = lambda: 0
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the file calls a column, where it is another name."""

    def renamed(self, names: Mapping[str, str]) -> "Table":
        """The same table under our names; problems still speak of the file's own."""
        columns = tuple(names.get(column, column) for column in self.columns)
        return replace(
            self, columns=columns, labels={ours: theirs for theirs, ours in names.items()}
        )

    def problem(self, line: int, column: str, value: object, reason: str) -> Problem:
        return Problem(self.file, line, self.labels.get(column, column), str(value), reason)


def open_table(path: Path) -> Table:
    """The file as a table, by the ending of its name.

    Raises:
        FileRefused: It is missing, unreadable, of another kind, or has no header.
    """
    readers = {".csv": _open_csv, ".parquet": _open_parquet, ".jsonl": _open_json_lines}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise FileRefused(
            f"{path} ends in {path.suffix or 'nothing'!r}; known are {', '.join(SUFFIXES)}"
            + ("; unpack it first" if path.suffix.lower() in {".zip", ".gz", ".xz"} else "")
        )
    try:
        return reader(path)
    except (OSError, pa.ArrowException) as error:
        raise FileRefused(f"{path} cannot be read: {error}") from error


def find_table(folder: Path, stem: str) -> Path | None:
    """The file of this name in the folder, in whichever form it is there."""
    candidates = (folder / f"{stem}{suffix}" for suffix in SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)


def _open_csv(path: Path) -> Table:
    raw = path.open("rb")
    text = _Decoded(raw)
    reader = csv.reader(text, strict=True)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise FileRefused(f"{path}, line 1: the header cannot be read: {error}") from error
    if not header:
        raise FileRefused(f"{path} is empty; its first line must name the columns")
    columns = tuple(name.strip() for name in header)
    return Table(
        file=path.name,
        columns=columns,
        rows=_csv_rows(path.name, reader, len(columns), raw),
        size=path.stat().st_size,
        unit="B",
        position=lambda: text.bytes_read,
    )


class _Decoded:
    """Lines of a file as text; what is not UTF-8 is kept as surrogates and refused later."""

    def __init__(self, raw: IO[bytes]) -> None:
        self.raw = raw
        self.bytes_read = 0

    def __iter__(self) -> Iterator[str]:
        while line := self.raw.readline(JSON_LINE_BYTES):
            first = self.bytes_read == 0
            self.bytes_read += len(line)
            yield line.decode("utf-8-sig" if first else "utf-8", "surrogateescape")


def _csv_rows(file: str, reader: Any, width: int, raw: IO[bytes]) -> Iterator[Row | Problem]:
    with raw:
        while True:
            line = reader.line_num + 1
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Problem(file, line, "", "", _csv_reason(error))
                continue
            if len(values) == width:
                yield Row(line, values)
            elif values:
                reason = f"has {len(values)} values, the header names {width} columns"
                yield Problem(file, line, "", "", reason)


def _csv_reason(error: csv.Error) -> str:
    if "field limit" in str(error):
        return (
            f"a value is longer than {CSV_FIELD_CHARACTERS:,} characters (a missing quote?); "
            "reading goes on at the next line"
        )
    return f"is not well-formed CSV: {error}"


def _open_json_lines(path: Path) -> Table:
    """JSONL has no header: the columns are those of its first object, later ones may lack some."""
    with path.open("rb") as file:
        first = _json_object(file.readline(JSON_LINE_BYTES))
    if isinstance(first, str):
        raise FileRefused(f"{path}, line 1: {first}; the first line tells the columns")
    raw = path.open("rb")
    columns = tuple(first)
    return Table(
        file=path.name,
        columns=columns,
        rows=_json_rows(path.name, raw, columns),
        size=path.stat().st_size,
        unit="B",
        position=lambda: 0 if raw.closed else raw.tell(),
    )


def _json_rows(file: str, raw: IO[bytes], columns: tuple[str, ...]) -> Iterator[Row | Problem]:
    known = set(columns)
    with raw:
        for number, line in enumerate(_whole_lines(raw), start=1):
            if not line.strip():
                continue
            entry = _json_object(line)
            if isinstance(entry, str):
                yield Problem(file, number, "", "", entry)
            elif new := [name for name in entry if name not in known]:
                reason = "is a column that the first line does not name"
                yield Problem(file, number, new[0], str(entry[new[0]]), reason)
            else:
                yield Row(number, [entry.get(column) for column in columns])


def _whole_lines(raw: IO[bytes]) -> Iterator[bytes]:
    """Lines of the file; of one that is far too long only its beginning, to be refused."""
    while line := raw.readline(JSON_LINE_BYTES):
        rest = line
        while len(rest) == JSON_LINE_BYTES and not rest.endswith(b"\n"):
            rest = raw.readline(JSON_LINE_BYTES)
        yield line


def _json_object(line: bytes) -> dict[str, object] | str:
    """What the line says, or why it cannot be read."""
    if len(line) >= JSON_LINE_BYTES:
        return f"is longer than {JSON_LINE_BYTES:,} bytes"
    try:
        entry = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "is not UTF-8"
    except (ValueError, RecursionError) as error:
        return f"is not JSON: {error}"
    return entry if isinstance(entry, dict) else "is not a JSON object"


def _open_parquet(path: Path) -> Table:
    file = pq.ParquetFile(path)
    seen = _Seen()
    return Table(
        file=path.name,
        columns=tuple(file.schema_arrow.names),
        rows=_parquet_rows(file, seen),
        size=file.metadata.num_rows,
        position=lambda: seen.rows,
    )


@dataclass
class _Seen:
    rows: int = 0


def _parquet_rows(file: Any, seen: _Seen) -> Iterator[Row]:
    with file:
        for batch in file.iter_batches(PARQUET_ROWS):
            columns = [column.to_pylist() for column in batch.columns]
            for values in zip(*columns, strict=True):
                seen.rows += 1
                yield Row(seen.rows, values)
