"""Loading titles: forms of file, bad lines, and doing it twice."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from kombu.exceptions import OperationalError

from webapp.catalog.importers.errors import BadValue, FileRefused, Problem, StrictRefused
from webapp.catalog.importers.fields import names, text, timestamp, web_address, whole_number
from webapp.catalog.importers.loading import Options, Report
from webapp.catalog.importers.movielens import ARTICLES, name_and_year
from webapp.catalog.importers.titles import COLUMNS, load_catalogue
from webapp.catalog.models import Credit, Genre, Person, Title
from webapp.celery import INDEX_TASK, app

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALIEN = {
    "external_id": "a1",
    "name": "Alien",
    "year": 1979,
    "kind": "film",
    "genres": "Horror|Sci-Fi",
    "runtime_minutes": 117,
    "plot": "A crew.\nA guest.",
    "language": "English",
    "country": "United Kingdom",
    "imdb_id": "tt0078748",
    "directors": "Ridley Scott",
    "writers": "Dan O'Bannon|Ronald Shusett",
    "cast": "Sigourney Weaver|Tom Skerritt",
    "poster_url": "https://example.org/alien.jpg",
    "playback_url": "http://example.org/alien.mp4",
    "added_at": "2026-01-02T03:04:05Z",
}
AMELIE = {**dict.fromkeys(ALIEN, ""), "external_id": "a2", "name": "Le Fabuleux Destin d’Amélie"}


class Loaded:
    """A report and the problems that were told on the way."""

    def __init__(self, path: Path, *, strict: bool = False, dry_run: bool = False) -> None:
        self.problems: list[Problem] = []
        self.report = load_catalogue(path, Options(strict, dry_run, self.problems.append), NOW)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        report = self.report
        return report.created, report.updated, report.unchanged, report.refused

    @property
    def told(self) -> list[str]:
        return [str(problem) for problem in self.problems]


def write_csv(path: Path, lines: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return path


def write_json_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def write_parquet(path: Path, lines: list[dict[str, Any]]) -> Path:
    columns = {name: [str(line[name]) for line in lines] for name in lines[0]}
    pq.write_table(pa.table(columns), path)
    return path


FORMS = {".csv": write_csv, ".jsonl": write_json_lines, ".parquet": write_parquet}


@pytest.fixture
def one_of(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a CSV of one title that is good but for these values."""

    def one_of(**values: object) -> Path:
        return write_csv(tmp_path / "titles.csv", [{"external_id": "x", "name": "X", **values}])

    return one_of


@pytest.mark.django_db
@pytest.mark.parametrize("suffix", FORMS)
def test_each_form_of_file_loads_all_that_is_known_of_a_title(tmp_path: Path, suffix: str) -> None:
    loaded = Loaded(FORMS[suffix](tmp_path / f"titles{suffix}", [ALIEN, AMELIE]))

    assert loaded.told == []
    assert loaded.counts == (2, 0, 0, 0)
    alien = Title.objects.get(external_id="a1")
    for column in ("name", "year", "kind", "runtime_minutes", "plot", "language", "country"):
        assert getattr(alien, column) == ALIEN[column]
    for column in ("imdb_id", "poster_url", "playback_url"):
        assert getattr(alien, column) == ALIEN[column]
    assert alien.added_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert sorted(alien.genres.values_list("slug", flat=True)) == ["horror", "sci-fi"]
    credits = Credit.objects.filter(title=alien).values_list("role", "position", "person__name")
    assert sorted(credits) == [
        ("cast", 0, "Sigourney Weaver"),
        ("cast", 1, "Tom Skerritt"),
        ("director", 0, "Ridley Scott"),
        ("writer", 0, "Dan O'Bannon"),
        ("writer", 1, "Ronald Shusett"),
    ]
    amelie = Title.objects.get(external_id="a2")
    assert amelie.name == "Le Fabuleux Destin d’Amélie"
    assert (amelie.year, amelie.runtime_minutes, amelie.kind) == (None, None, "film")
    assert amelie.added_at == NOW
    assert not amelie.genres.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("suffix", FORMS)
def test_what_search_reads_is_loaded_and_taken_back(tmp_path: Path, suffix: str) -> None:
    lines = [
        {"external_id": "a1", "name": "Alien", "alternative_names": "Alien 1|Obcy", "characters":
         "Ripley|Ash", "is_available": "no"},
        {"external_id": "a2", "name": "Aliens", "alternative_names": "", "characters": "",
         "is_available": ""},
    ]  # fmt: skip
    assert Loaded(FORMS[suffix](tmp_path / f"titles{suffix}", lines)).told == []
    alien, aliens = Title.objects.order_by("external_id")
    assert (alien.alternative_names, alien.characters) == (["Alien 1", "Obcy"], ["Ripley", "Ash"])
    assert (aliens.alternative_names, aliens.characters) == ([], [])
    assert (alien.is_available, aliens.is_available) == (False, True)

    lines[0].update(alternative_names="", is_available="yes")
    Loaded(FORMS[suffix](tmp_path / f"again{suffix}", lines))
    alien.refresh_from_db()
    assert (alien.alternative_names, alien.is_available) == ([], True)


@pytest.mark.django_db
def test_availability_is_yes_or_no(one_of: Callable[..., Path]) -> None:
    loaded = Loaded(one_of(is_available="perhaps"))
    assert "is_available" in loaded.told[0]
    assert "perhaps" in loaded.told[0]


@pytest.mark.django_db
def test_parquet_and_json_may_hold_lists_numbers_and_times(tmp_path: Path) -> None:
    table = pa.table(
        {
            "external_id": [7, 8],
            "name": ["One", "Two"],
            "year": [1999.0, None],
            "genres": [["Drama", "War"], []],
            "added_at": pa.array([1_700_000_000_000_000_001, None], pa.timestamp("ns")),
        }
    )
    pq.write_table(table, tmp_path / "titles.parquet")
    assert Loaded(tmp_path / "titles.parquet").counts == (2, 0, 0, 0)
    one = Title.objects.get(external_id="7")
    assert one.year == 1999
    assert one.added_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert {genre.name for genre in one.genres.all()} == {"Drama", "War"}

    line = {"external_id": 7, "name": "One", "year": 1999, "genres": ["War", "Drama"]}
    again = Loaded(write_json_lines(tmp_path / "titles.jsonl", [line]))
    assert again.counts == (0, 0, 1, 0)


@pytest.mark.django_db
def test_json_lines_may_lack_keys_that_others_have(tmp_path: Path) -> None:
    first, second = {"external_id": "1", "name": "One"}, {"external_id": "2", "name": "Two"}
    path = write_json_lines(tmp_path / "titles.jsonl", [first, {**second, "plot": "Told."}])
    assert Loaded(path).counts == (2, 0, 0, 0)
    assert [title.plot for title in Title.objects.order_by("external_id")] == ["", "Told."]


@pytest.mark.django_db
def test_loading_twice_touches_nothing(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "titles.csv", [ALIEN, AMELIE])
    Loaded(path)
    before = list(Title.objects.order_by("pk").values())
    credits = list(Credit.objects.order_by("pk").values())

    again = Loaded(path)

    assert again.counts == (0, 0, 2, 0)
    assert list(Title.objects.order_by("pk").values()) == before
    assert list(Credit.objects.order_by("pk").values()) == credits


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "Aliens"),
        ("year", "1986"),
        ("year", ""),
        ("plot", ""),
        ("genres", "Horror"),
        ("genres", ""),
        ("cast", "Tom Skerritt|Sigourney Weaver"),
        ("writers", ""),
        ("directors", "James Cameron"),
        ("added_at", "2026-01-03"),
    ],
)
def test_a_change_updates_this_title_only(tmp_path: Path, column: str, value: str) -> None:
    Loaded(write_csv(tmp_path / "titles.csv", [ALIEN, AMELIE]))
    before = {title.external_id: title.updated_at for title in Title.objects.all()}

    changed = write_csv(tmp_path / "titles.csv", [{**ALIEN, column: value}, AMELIE])
    loaded = Loaded(changed)

    assert loaded.counts == (0, 1, 1, 0)
    after = {title.external_id: title.updated_at for title in Title.objects.all()}
    assert after["a1"] > before["a1"]
    assert after["a2"] == before["a2"]
    assert Loaded(changed).counts == (0, 0, 2, 0)
    alien = Title.objects.get(external_id="a1")
    if column == "cast":
        cast = alien.credits.filter(role="cast").order_by("position")
        assert [credit.person.name for credit in cast] == ["Tom Skerritt", "Sigourney Weaver"]
    if column == "genres":
        assert sorted(genre.name for genre in alien.genres.all()) == ([value] if value else [])


@pytest.mark.django_db
def test_a_column_that_the_file_lacks_is_left_as_it_is(tmp_path: Path) -> None:
    Loaded(write_csv(tmp_path / "titles.csv", [ALIEN]))
    short = write_csv(tmp_path / "short.csv", [{"external_id": "a1", "name": "Alien"}])
    assert Loaded(short).counts == (0, 0, 1, 0)
    alien = Title.objects.get(external_id="a1")
    assert (alien.year, alien.plot) == (1979, ALIEN["plot"])
    assert alien.genres.count() == 2
    assert alien.credits.count() == 5


@pytest.mark.django_db
def test_of_a_title_that_is_there_twice_the_last_line_counts(tmp_path: Path) -> None:
    lines = [{"external_id": "x", "name": name, "genres": name} for name in ("First", "Last")]
    path = write_csv(tmp_path / "titles.csv", lines)
    loaded = Loaded(path)
    assert loaded.counts == (1, 0, 0, 0)
    assert loaded.report.repeated == 1
    assert Title.objects.get().name == "Last"
    assert [genre.name for genre in Title.objects.get().genres.all()] == ["Last"]
    assert Loaded(path).counts == (0, 0, 1, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("external_id", "", "'' is empty; a value is needed"),
        ("external_id", "x" * 65, "(65 characters) is longer than 64 characters"),
        ("name", "  ", "'  ' is empty; a value is needed"),
        ("name", "n" * 301, "is longer than 300 characters"),
        ("name", "N\x00l", "'N\\x00l' holds a NUL character"),
        ("year", "nineteen", "'nineteen' is not a whole number from 1870 to 2100"),
        ("year", "1979.5", "'1979.5' is not a whole number from 1870 to 2100"),
        ("year", "-1", "'-1' is not a whole number"),
        ("year", "19790", "'19790' is not a whole number"),
        ("year", "١٩٧٩", "is not a whole number"),
        ("kind", "opera", "'opera' is none of film, series"),
        ("runtime_minutes", "0", "'0' is not a whole number from 1 to 6000"),
        ("genres", "Drama|" + "g" * 61, "is longer than 60 characters"),
        ("directors", "d" * 201, "is longer than 200 characters"),
        ("plot", "p" * 20_001, "(20,001 characters) is longer than 20,000 characters"),
        ("poster_url", "javascript:alert(1)", "is not an address that starts with http://"),
        ("poster_url", "https://", "is not an address"),
        ("poster_url", "https://[half/", "is not an address"),
        ("playback_url", "ftp://example.org/a.mp4", "is not an address"),
        ("playback_url", "//example.org/a.mp4", "is not an address"),
        ("playback_url", "https://example.org/a b", "is not an address"),
        ("added_at", "last Tuesday", "'last Tuesday' is neither a time in seconds since 1970"),
        ("added_at", "2999-01-01", "'2999-01-01' lies in the future"),
        ("added_at", "1700000000000", "'1700000000000' is neither a time"),
        ("added_at", "0001-01-01", "'0001-01-01' lies before 1900"),
    ],
)
def test_a_bad_value_is_told_and_the_rest_is_loaded(
    tmp_path: Path, column: str, value: str, reason: str
) -> None:
    good = {**AMELIE, "external_id": "good"}
    path = write_csv(tmp_path / "titles.csv", [good, {**AMELIE, column: value}, ALIEN])
    loaded = Loaded(path)
    assert loaded.counts == (2, 0, 0, 1)
    (told,) = loaded.told
    assert told.startswith(f"titles.csv, line 3, column {column}: ")
    assert reason in told


@pytest.mark.django_db
def test_a_line_number_counts_the_lines_of_a_value_that_spans_several(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "titles.csv", [ALIEN, {**AMELIE, "year": "x"}])
    (told,) = Loaded(path).told
    assert told.startswith("titles.csv, line 4, column year: ")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"2", "line 3: has 1 values where the header names 2 columns"),
        (b"2,Two,More", "line 3: has 3 values where the header names 2 columns"),
        (b'2,"Two" too', "line 3: is not well-formed CSV"),
        (b"2,Tw\xff", "line 3, column name: 'Tw\\udcff' is not UTF-8"),
        (b"2," + b"x" * 200_000, "line 3: has a value longer than 131,072 characters"),
        (b"2," + b"x" * 2_000_000, "line 3: has a value longer than 131,072 characters"),
    ],
)
def test_a_bad_csv_line_is_told_and_the_rest_is_loaded(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    path = tmp_path / "titles.csv"
    path.write_bytes(b"external_id,name\n1,\xc3\x89n\n" + line + b"\n\n3,Three\n")
    loaded = Loaded(path)
    assert reason in loaded.told[0]
    assert set(Title.objects.values_list("name", flat=True)) == {"Én", "Three"}


@pytest.mark.django_db
def test_a_quote_that_is_not_closed_costs_its_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "titles.csv"
    lines = ["external_id,name", "1,One", '2,"Two', "3,Three", '4,"Fo,ur"', '5,"Five', '6,"Si\nx"']
    path.write_text("\n".join([*lines, *(f"{n},Film {n}" for n in range(7, 9000))]) + "\n")
    loaded = Loaded(path)
    reason = "opens a quote that is not closed; reading goes on with the next line"
    assert loaded.told == [f"titles.csv, line {n}: {reason}" for n in (3, 6)]
    assert Title.objects.count() == 1 + 3 + 8993
    assert Title.objects.get(external_id="6").name == "Si x"
    assert Title.objects.get(external_id="4").name == "Fo,ur"


@pytest.mark.django_db
def test_a_quote_that_another_line_closes_costs_those_two(tmp_path: Path) -> None:
    path = tmp_path / "titles.csv"
    lines = ["external_id,name,year", '1,One,"2001', "2,Two,2002", '3,"Three,2003', "4,Four,2004"]
    path.write_text("\n".join(lines) + "\n")
    loaded = Loaded(path)
    assert [problem.line for problem in loaded.problems] == [2, 4]
    assert set(Title.objects.values_list("external_id", flat=True)) == {"2", "4"}


NAMES = ["Amélie", "Übermut", "Plain"]
LINES = [f"{n},{name},2001" for n, name in enumerate(NAMES)]
AS_WRITTEN = "\n".join(["external_id,name,year", *LINES]) + "\n"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "note"),
    [
        (AS_WRITTEN.encode(), ""),
        (AS_WRITTEN.encode("utf-8-sig"), ""),
        (AS_WRITTEN.encode("utf-16"), "titles.csv is read as UTF-16, little-endian."),
        (
            b"\xfe\xff" + AS_WRITTEN.encode("utf-16-be"),
            "titles.csv is read as UTF-16, big-endian.",
        ),
        (
            AS_WRITTEN.encode("latin-1"),
            "titles.csv is read as Windows-1252, for it is not UTF-8.",
        ),
        (
            AS_WRITTEN.replace(",", ";").encode(),
            "The values of titles.csv are separated by semicolons.",
        ),
        (
            AS_WRITTEN.replace(",", "\t").encode(),
            "The values of titles.csv are separated by tabs.",
        ),
        (AS_WRITTEN.replace("\n", "\r\n").encode(), ""),
        (AS_WRITTEN.replace("\n", "\r").encode(), ""),
        (AS_WRITTEN.replace("external_id", "External ID").replace("name", "NAME").encode(), ""),
    ],
    ids=["utf8", "bom", "utf16", "utf16be", "latin1", "semicolon", "tab", "crlf", "cr", "case"],
)
def test_a_file_as_other_programs_write_it_is_read_and_said(
    tmp_path: Path, content: bytes, note: str
) -> None:
    path = tmp_path / "titles.csv"
    path.write_bytes(content)
    loaded = Loaded(path)
    assert loaded.told == []
    assert " ".join(loaded.report.notes) == note
    assert list(Title.objects.order_by("pk").values_list("name", flat=True)) == NAMES
    assert set(Title.objects.values_list("year", flat=True)) == {2001}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("written", "year"),
    [
        ("2008–2013", 2008),
        ("2019-", 2019),
        ("2010-07-16", 2010),
        ("2010-07-16T00:00:00Z", 2010),
        ("1999.0", 1999),
        ("\\N", None),
    ],
)
def test_a_year_is_the_first_one_of_a_range_or_a_date(
    one_of: Callable[..., Path], written: str, year: int | None
) -> None:
    assert Loaded(one_of(year=written)).told == []
    assert Title.objects.get().year == year


@pytest.mark.django_db
def test_genres_are_cut_at_commas_where_there_is_no_other_sign(tmp_path: Path) -> None:
    lines = [
        {"external_id": "1", "name": "One", "genres": "Action, Adventure, Sci-Fi"},
        {"external_id": "2", "name": "Two", "genres": "Drama|Romance"},
    ]
    loaded = Loaded(write_csv(tmp_path / "titles.csv", lines))
    assert set(Title.objects.get(name="One").genres.values_list("name", flat=True)) == {
        "Action",
        "Adventure",
        "Sci-Fi",
    }
    [note] = loaded.report.notes
    assert "cut at commas and semicolons, as in 'Action, Adventure, Sci-Fi'" in note


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "line 2: is not JSON"),
        (b"[" * 100_000, "line 2: is not JSON"),
        (b'{"external_id": ' + b"9" * 5000 + b"}", "line 2: is not JSON"),
        (b"[1, 2]", "line 2: is not a JSON object"),
        (b'{"external_id": "\xff"}', "line 2: is not UTF-8"),
        (b'{"name": "' + b"x" * 3_000_000 + b'"}', "line 2: is longer than 1,000,000 bytes"),
        (b'{"external_id": "2", "name": "\\ud800"}', "line 2, column name: '\\ud800' is not UTF-8"),
        (b'{"external_id": "2", "name": {"en": "Two"}}', "is a dict, which is not allowed here"),
        (b'{"external_id": "2", "name": true}', "column name: 'True' is a bool"),
        (b'{"external_id": "2", "name": null}', "column name: 'None' is empty"),
    ],
)
def test_a_bad_json_line_is_told_and_the_rest_is_loaded(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    path = tmp_path / "titles.jsonl"
    good = b'{"external_id": "%d", "name": "Good"}\n'
    path.write_bytes(good % 1 + line + b"\n\n" + good % 3)
    loaded = Loaded(path)
    assert loaded.counts == (2, 0, 0, 1)
    assert reason in loaded.told[0]


@pytest.mark.django_db
def test_strict_loads_nothing_when_a_line_is_bad(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "titles.csv", [ALIEN, {**AMELIE, "year": "x"}])
    with pytest.raises(StrictRefused, match=r"1 lines were refused, so nothing was loaded"):
        Loaded(path, strict=True)
    assert not Title.objects.exists()
    assert not Genre.objects.exists()
    assert Loaded(write_csv(path, [ALIEN]), strict=True).counts == (1, 0, 0, 0)


@pytest.mark.django_db
def test_a_dry_run_counts_and_keeps_nothing(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "titles.csv", [ALIEN, {**AMELIE, "year": "x"}])
    dry = Loaded(path, dry_run=True)
    assert dry.counts == (1, 0, 0, 1)
    for model in (Title, Genre, Person):
        assert not model.objects.exists()
    assert Loaded(path).counts == dry.counts


@pytest.mark.django_db
def test_a_genre_is_one_however_it_is_written_and_refused_lines_make_none(tmp_path: Path) -> None:
    Genre.objects.create(name="Science Fiction", slug="science-fiction")
    line = {"external_id": "1", "name": "One", "year": "1999", "genres": ""}
    lines = [
        {**line, "genres": "science-fiction|Sci-Fi"},
        {**line, "external_id": "2", "genres": "Science Fiction|sci fi|アニメ"},
        {**line, "external_id": "3", "genres": "Unused", "year": "x"},
    ]
    path = write_csv(tmp_path / "titles.csv", lines)
    Loaded(path)
    assert set(Genre.objects.values_list("name", flat=True)) == {
        "Science Fiction",
        "Sci-Fi",
        "アニメ",
    }
    assert Loaded(path).counts == (0, 0, 2, 1)


@pytest.mark.django_db
def test_a_name_with_a_combining_accent_is_the_composed_one(one_of: Callable[..., Path]) -> None:
    Loaded(one_of(name="Ame\u0301lie", cast="Audrey  Tautou|Audrey Tautou|"))
    assert Title.objects.get().name == "Am\u00e9lie"
    assert Person.objects.get().name == "Audrey Tautou"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("none.csv", None, "does not exist"),
        ("titles.csv", b"", r"is empty; its first line must name the columns"),
        ("titles.csv", b"id;name\n1;One\n", r"lacks the column external_id; it has id, name"),
        (
            "titles.csv",
            b"external_id,\xff\n",
            r"lacks the column name; it has external_id, ÿ",
        ),
        ("titles.csv", b"external_id,name,name\n", "names the column name twice"),
        ("titles.csv", b'"external_id,name\n', "the header is not well-formed CSV"),
        ("titles.jsonl", b"\n", "holds no JSON objects"),
        ("titles.jsonl", b'{"name": "One"}\n', "lacks the column external_id"),
        ("titles.parquet", b"PAR1 or not", "cannot be read"),
        ("titles.xlsx", b"", r"must end in \.csv, \.parquet or \.jsonl$"),
        ("ml-25m.zip", b"", "unpack it first"),
    ],
)
@pytest.mark.django_db
def test_a_file_that_cannot_be_loaded_is_refused_in_words(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FileRefused, match=reason):
        Loaded(tmp_path / name)


@pytest.mark.django_db
def test_a_parquet_file_that_is_cut_short_loads_nothing(tmp_path: Path) -> None:
    path = tmp_path / "titles.parquet"
    rows = 50_000
    columns = {name: [f"{name} {n}" for n in range(rows)] for name in ("external_id", "name")}
    pq.write_table(pa.table(columns), path, row_group_size=10_000, compression="none")
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 100_000] = b"\xff" * 100_000
    path.write_bytes(whole)
    with pytest.raises(FileRefused, match="cannot be read to its end"):
        Loaded(path)
    assert not Title.objects.exists()


@pytest.mark.django_db
def test_a_movielens_folder_loads_with_its_imdb_ids(tmp_path: Path) -> None:
    (tmp_path / "movies.csv").write_text(
        "movieId,title,genres\n"
        '1,"Piano, The (1993)",Drama|Romance\n'
        "2,Babylon 5,(no genres listed)\n"
        '3,"City of Lost Children, The (Cité des enfants perdus, La) (1995)",Fantasy\n'
        "x,,Drama\n",
        encoding="utf-8",
    )
    (tmp_path / "links.csv").write_text(
        "movieId,imdbId,tmdbId\n1,0107822,713\n2,,\n3,114709x,\nnone,1,1\n"
    )
    loaded = Loaded(tmp_path)
    assert loaded.told == [
        "links.csv, line 4, column imdbId: '114709x' is not a whole number",
        "links.csv, line 5, column movieId: 'none' is not a whole number",
        "movies.csv, line 5, column title: '' is empty; a value is needed",
    ]
    assert list(Title.objects.order_by("pk").values_list("external_id", "name", "year")) == [
        ("1", "The Piano", 1993),
        ("2", "Babylon 5", None),
        ("3", "The City of Lost Children (La Cité des enfants perdus)", 1995),
    ]
    assert list(Title.objects.order_by("pk").values_list("imdb_id", flat=True)) == [
        "tt0107822",
        "",
        "",
    ]
    assert not Title.objects.get(external_id="2").genres.exists()
    assert Loaded(tmp_path).counts == (0, 0, 3, 3)


@pytest.mark.django_db
def test_a_movielens_folder_may_be_parquet(tmp_path: Path) -> None:
    movies = {"movieId": [1], "title": ["Heat (1995)"], "genres": ["Action|Crime"]}
    links = {"movieId": [1], "imdbId": [113277], "tmdbId": [949.0]}
    pq.write_table(pa.table(movies), tmp_path / "movies.parquet")
    pq.write_table(pa.table(links), tmp_path / "links.parquet")
    assert Loaded(tmp_path).counts == (1, 0, 0, 0)
    heat = Title.objects.get()
    assert (heat.name, heat.year, heat.imdb_id) == ("Heat", 1995, "tt0113277")


def test_a_folder_without_movies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"holds no movies\.csv, movies\.parquet or"):
        load_catalogue(tmp_path, Options(), NOW)


@pytest.mark.parametrize(
    ("title", "name", "year"),
    [
        ("Toy Story (1995)", "Toy Story", 1995),
        ("Moonlight  (2016) ", "Moonlight", 2016),
        ("Piano, The (1993)", "The Piano", 1993),
        ("Avventura, L' (1960)", "L'Avventura", 1960),
        ("Bicycle, Spoon, Apple (2010)", "Bicycle, Spoon, Apple", 2010),
        ("(500) Days of Summer (2009)", "(500) Days of Summer", 2009),
        ("Big Bang Theory, The (2007-)", "The Big Bang Theory", 2007),
        ("Fawlty Towers (1975–1979)", "Fawlty Towers", 1975),
        ("2001", "2001", None),
        ("(1995)", "", 1995),
        ("", "", None),
    ],
)
def test_a_movielens_title_is_split_into_name_and_year(
    title: str, name: str, year: int | None
) -> None:
    assert name_and_year(title) == (name, year)


@given(
    words=st.text("abcdef ghi", min_size=1).map(str.strip).filter(bool),
    article=st.sampled_from([article for article in ARTICLES.split("|") if article[-1] != "'"]),
    year=st.integers(1000, 9999),
)
def test_an_article_comes_first_whatever_the_title(words: str, article: str, year: int) -> None:
    assert name_and_year(f"{words}, {article} ({year})") == (f"{article} {words}", year)


@given(st.text())
def test_any_text_is_storable_or_refused(value: str) -> None:
    try:
        found = text(50)(value)
    except BadValue:
        return
    assert "\x00" not in found
    assert found.encode().decode() == " ".join(found.split())


@given(st.lists(st.text("abc ", min_size=1).filter(str.strip)))
def test_names_are_each_once_in_their_order(values: list[str]) -> None:
    clean = [" ".join(value.split()) for value in values]
    assert names(50)("|".join(values)) == names(50)(values) == list(dict.fromkeys(clean))


@given(st.integers(0, 10**10))
def test_a_whole_number_is_itself_or_refused(value: int) -> None:
    parse = whole_number(1, 6000)
    if 1 <= value <= 6000:
        assert parse(value) == parse(str(value)) == parse(float(value)) == value
    else:
        with pytest.raises(BadValue):
            parse(value)


@given(st.datetimes(datetime(1901, 1, 1), datetime(2025, 1, 1)))
def test_a_time_is_read_back_from_iso_8601_as_utc(value: datetime) -> None:
    assert timestamp(value.isoformat()) == timestamp(value) == value.replace(tzinfo=UTC)


def test_unix_seconds_and_zones_are_understood() -> None:
    assert timestamp("2024-05-31 20:15:00 UTC") == datetime(2024, 5, 31, 20, 15, tzinfo=UTC)
    assert timestamp("20240531") == timestamp("2024-05-31") == datetime(2024, 5, 31, tzinfo=UTC)
    for written in ("0", "2024", "20241331", "-1"):
        with pytest.raises(BadValue, match="neither a time in seconds since 1970"):
            timestamp(written)
    assert timestamp("1260759144") == timestamp(1260759144) == timestamp(1260759144.0)
    assert timestamp("2024-05-31T20:15:00+02:00") == datetime(2024, 5, 31, 18, 15, tzinfo=UTC)
    assert timestamp("") is None


@given(st.text())
def test_only_http_addresses_pass(value: str) -> None:
    try:
        found = web_address(500)(value)
    except BadValue:
        return
    assert found == "" or found.lower().startswith(("http://", "https://"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of tasks that were sent."""
    names: list[str] = []
    monkeypatch.setattr(app, "send_task", lambda name, **_: names.append(name))
    return names


@pytest.mark.django_db
def test_a_whole_import_asks_for_one_index_and_only_if_it_changed_something(
    tmp_path: Path, asked: list[str]
) -> None:
    path = write_csv(tmp_path / "titles.csv", [ALIEN, AMELIE, {**AMELIE, "external_id": "a3"}])
    call_command("load_catalogue", path, "--dry-run")
    assert asked == []
    call_command("load_catalogue", path)
    assert asked == [INDEX_TASK]
    call_command("load_catalogue", path)
    assert asked == [INDEX_TASK], "nothing had changed"
    call_command("load_catalogue", write_csv(path, [{**ALIEN, "year": 1980}]))
    assert asked == [INDEX_TASK] * 2


@pytest.mark.django_db
def test_an_import_succeeds_where_no_broker_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, **_: Any) -> None:
        raise OperationalError("refused")

    monkeypatch.setattr(app, "send_task", refuse)
    call_command("load_catalogue", write_csv(tmp_path / "titles.csv", [ALIEN]))
    assert Title.objects.count() == 1


@pytest.mark.usefixtures("asked")
@pytest.mark.django_db
def test_the_command_prints_problems_and_a_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [{**AMELIE, "external_id": "", "mood": "blue"} for _ in range(3)]
    path = write_csv(tmp_path / "titles.csv", [*lines, {**ALIEN, "mood": "dark"}])
    call_command("load_catalogue", path, problems=2)
    out, err = capsys.readouterr()
    assert "Titles: 1 created, 0 updated, 0 unchanged, 3 refused, in " in out
    assert "Columns that were ignored: mood." in out
    assert err.splitlines() == [
        "titles.csv, line 2, column external_id: '' is empty; a value is needed",
        "titles.csv, line 3, column external_id: '' is empty; a value is needed",
        "and 1 more refused lines; --problems 0 shows all",
    ]


@pytest.mark.django_db
def test_the_command_says_that_a_dry_run_kept_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("load_catalogue", write_csv(tmp_path / "titles.csv", [ALIEN]), "--dry-run")
    assert "Dry run: nothing was kept." in capsys.readouterr().out
    assert not Title.objects.exists()


@pytest.mark.django_db
def test_the_command_fails_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="does not exist"):
        call_command("load_catalogue", tmp_path / "none.csv")
    path = write_csv(tmp_path / "titles.csv", [{**ALIEN, "year": "x"}])
    with pytest.raises(CommandError, match="nothing was loaded"):
        call_command("load_catalogue", path, "--strict")


def test_help_and_docs_name_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("load_catalogue", "--help")
    shown = capsys.readouterr().out
    docs = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
    for name in COLUMNS:
        assert f"  {name}" in shown
        assert f"| `{name}`" in docs


@pytest.mark.django_db(transaction=True)
def test_a_second_import_at_the_same_time_is_refused(tmp_path: Path) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(7365001)")
        with pytest.raises(CommandError, match="another import is running"):
            call_command("load_catalogue", write_csv(tmp_path / "titles.csv", [ALIEN]))
    finally:
        other.close()


def test_a_report_says_what_was_repeated_only_if_something_was() -> None:
    assert str(Report(created=1_000)) == "1,000 created, 0 updated, 0 unchanged, 0 refused"
    assert "2 repeated" in str(Report(repeated=2))


@pytest.mark.django_db
@pytest.mark.parametrize(("age", "stored"), [("6", 6), ("18", 18), ("0", 0), ("", None)])
def test_the_age_a_title_is_for_is_loaded(
    one_of: Callable[..., Path], age: str, stored: int | None
) -> None:
    assert Loaded(one_of(maturity=age)).told == []
    assert Title.objects.get().maturity == stored


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("written", "stored"), [("132745", 132_745), ("0", 0), ("1e3", None), ("", None)]
)
def test_votes_from_elsewhere_are_loaded(
    one_of: Callable[..., Path], written: str, stored: int | None
) -> None:
    loaded = Loaded(one_of(votes=written, reviews="17"))
    if written == "1e3":
        assert loaded.told == [
            "titles.csv, line 2, column votes: '1e3' is not a whole number from 0 to 999999999"
        ]
        return
    title = Title.objects.get()
    assert (title.votes, title.reviews) == (stored, 17)


@pytest.mark.django_db
def test_more_votes_are_a_change(one_of: Callable[..., Path]) -> None:
    Loaded(one_of(votes="5"))
    assert Loaded(one_of(votes="5")).counts == (0, 0, 1, 0)
    assert Loaded(one_of(votes="6")).counts == (0, 1, 0, 0)
    assert Loaded(one_of()).counts == (0, 0, 1, 0)
    assert Title.objects.get().votes == 6


@pytest.mark.django_db
def test_an_age_that_is_none_of_those_known_is_refused(one_of: Callable[..., Path]) -> None:
    told = Loaded(one_of(maturity="13")).told
    assert told == [
        "titles.csv, line 2, column maturity: '13' is none of the ages 0, 6, 12, 16, 18"
    ]
