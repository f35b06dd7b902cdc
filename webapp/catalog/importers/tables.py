"""Readers of CSV, Parquet and JSONL: a path goes in, a `Table` of streamed rows comes out."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from webapp.catalog.importers.csv_form import CsvForm, Records, form_of, text_lines
from webapp.catalog.importers.errors import FileRefused, Problem, printable

SUFFIXES = (".csv", ".parquet", ".jsonl")
LONGEST_LINE_BYTES = 1_000_000
LONGEST_CSV_VALUE = csv.field_size_limit()
MOST_COLUMNS = 1_000
PARQUET_BATCH_ROWS = 10_000
PROGRESS_AFTER_SECONDS = 2.0


class Row(NamedTuple):
    """The values of one line, in the order of the table's columns."""

    line: int
    values: Sequence[object]


@dataclass
class Position:
    """How far a file has been read, in the table's unit."""

    offset: int = 0


@dataclass(frozen=True)
class Table:
    """The lines of one file under named columns. Can be read once."""

    file: str
    columns: tuple[str, ...]
    rows: Iterable[Row | Problem]
    size: int = 0
    """The last value of `position.offset`; 0 if unknown."""
    unit: str = "rows"
    position: Position = field(default_factory=Position)
    labels: Mapping[str, str] = field(default_factory=dict)
    """The file's own name of a column, if it differs."""
    notes: Sequence[str] = ()
    """What is unusual about it, a sentence each."""

    def renamed(self, names: Mapping[str, str]) -> "Table":
        """Return the table under other column names; problems still use those of the file."""
        columns = tuple(names.get(column, column) for column in self.columns)
        return replace(
            self, columns=columns, labels={new: original for original, new in names.items()}
        )

    def problem(self, line: int, column: str, value: object, reason: str) -> Problem:
        return Problem(self.file, line, self.labels.get(column, column), str(value), reason)


def open_table(path: Path) -> Table:
    """Open a file as a table; the suffix decides how it is read.

    Raises:
        FileRefused: It is missing, unreadable, of another kind, or names no columns.
    """
    readers = {".csv": _open_csv, ".parquet": _open_parquet, ".jsonl": _open_json_lines}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise FileRefused(
            f"{path} must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
            + ("; unpack it first" if path.suffix.lower() in {".zip", ".gz", ".xz"} else "")
        )
    try:
        return reader(path)
    except (OSError, pa.ArrowException) as error:
        raise FileRefused(f"{path} cannot be read: {error}") from error


def find_table(folder: Path, stem: str) -> Path | None:
    """Return the file of this stem in the folder, with the first of SUFFIXES that exists."""
    candidates = (folder / f"{stem}{suffix}" for suffix in SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)


def _open_csv(path: Path) -> Table:
    form = form_of(path)
    try:
        header = Records(text_lines(path, form.encoding), form.separator).next()
    except csv.Error as error:
        raise FileRefused(f"{path}: the header is not well-formed CSV: {error}") from error
    if not header:
        raise FileRefused(f"{path} is empty; its first line must name the columns")
    columns = tuple(printable(name.strip()) for name in header)
    position = Position()
    return Table(
        file=path.name,
        columns=columns,
        rows=_csv_rows(path, form, len(columns), position),
        size=path.stat().st_size,
        unit="B",
        position=position,
        notes=form.notes,
    )


def _csv_rows(path: Path, form: CsvForm, width: int, position: Position) -> Iterator[Row | Problem]:
    def note(offset: int) -> None:
        position.offset = offset

    records = Records(text_lines(path, form.encoding, note), form.separator)
    records.next()  # the header
    while True:
        try:
            values = records.next()
        except csv.Error as error:
            yield Problem(path.name, records.line, "", "", _csv_reason(error, records))
            records.refuse()
            continue
        if values is None:
            return
        if len(values) == width:
            yield Row(records.line, values)
        elif values:
            reason = f"has {len(values)} values where the header names {width} columns"
            yield Problem(path.name, records.line, "", "", reason)
            if records.num_lines > 1:
                records.refuse()


def _csv_reason(error: csv.Error, records: Records) -> str:
    if records.num_lines > 1:
        return "opens a quote that is not closed; reading goes on with the next line"
    if "field limit" in str(error):
        return f"has a value longer than {LONGEST_CSV_VALUE:,} characters"
    return f"is not well-formed CSV: {error}"


def _open_json_lines(path: Path) -> Table:
    columns = _json_columns(path)
    position = Position()
    return Table(
        file=path.name,
        columns=columns,
        rows=_json_rows(path, columns, position),
        size=path.stat().st_size,
        unit="B",
        position=position,
    )


def _json_columns(path: Path) -> tuple[str, ...]:
    """Return every key of any line, as JSONL has no header. Reads the file once."""
    columns: dict[str, None] = {}
    with path.open("rb") as raw:
        lines = _json_lines(raw, Position())
        for line in tqdm(lines, f"Reading the keys of {path.name}", delay=PROGRESS_AFTER_SECONDS):
            entry = _json_object(line)
            if isinstance(entry, dict):
                columns.update(dict.fromkeys(entry))
            if len(columns) > MOST_COLUMNS:
                raise FileRefused(f"{path} names more than {MOST_COLUMNS:,} columns")
    if not columns:
        raise FileRefused(f"{path} holds no JSON objects; it needs one per line")
    return tuple(columns)


def _json_rows(path: Path, columns: tuple[str, ...], position: Position) -> Iterator[Row | Problem]:
    with path.open("rb") as raw:
        for number, line in enumerate(_json_lines(raw, position), start=1):
            if not line.strip():
                continue
            entry = _json_object(line)
            if isinstance(entry, dict):
                yield Row(number, [entry.get(column) for column in columns])
            else:
                yield Problem(path.name, number, "", "", entry)


def _json_lines(raw: IO[bytes], position: Position) -> Iterator[bytes]:
    """Yield lines; of one that is far too long only the beginning, which is refused later."""
    while line := raw.readline(LONGEST_LINE_BYTES):
        position.offset += len(line)
        rest = line
        while len(rest) == LONGEST_LINE_BYTES and not rest.endswith(b"\n"):
            rest = raw.readline(LONGEST_LINE_BYTES)
            position.offset += len(rest)
        yield line


def _json_object(line: bytes) -> dict[str, object] | str:
    """Return the object of the line, or the reason why there is none."""
    if len(line) >= LONGEST_LINE_BYTES:
        return f"is longer than {LONGEST_LINE_BYTES:,} bytes"
    try:
        entry = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "is not UTF-8"
    except (ValueError, RecursionError) as error:
        return f"is not JSON: {error}"
    return entry if isinstance(entry, dict) else "is not a JSON object"


def _open_parquet(path: Path) -> Table:
    with pq.ParquetFile(path) as file:
        columns, rows = tuple(file.schema_arrow.names), file.metadata.num_rows
    position = Position()
    return Table(path.name, columns, _parquet_rows(path, position), size=rows, position=position)


def _parquet_rows(path: Path, position: Position) -> Iterator[Row]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(PARQUET_BATCH_ROWS):
                columns = [_python_values(column) for column in batch.columns]
                for values in zip(*columns, strict=True):
                    position.offset += 1
                    yield Row(position.offset, values)
    except (OSError, pa.ArrowException) as error:
        raise FileRefused(f"{path} cannot be read to its end: {error}") from error


def _python_values(column: Any) -> list[object]:
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    values: list[object] = column.to_pylist()
    return values
