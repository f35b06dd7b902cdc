"""Loading ratings: one a person and title, the latest; unknown titles refused."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from webapp.catalog.importers.errors import (
    BadValue,
    FileRefused,
    ImportRefused,
    Problem,
    StrictRefused,
)
from webapp.catalog.importers.loading import Options, Report
from webapp.catalog.models import Title
from webapp.profiles.importers import COLUMNS, Stars, load_history
from webapp.profiles.models import Profile, Rating

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEADER = "profile_id,title_id,stars,rated_at\n"
EARLY, LATE = 1_100_000_000, 1_200_000_000

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    for external_id in ("1", "2", "3"):
        Title.objects.create(external_id=external_id, name=f"Title {external_id}", added_at=NOW)


def load(
    path: Path, *, strict: bool = False, dry_run: bool = False, scale: int | None = None
) -> tuple[Report, list[Problem]]:
    problems: list[Problem] = []
    options = Options(strict, dry_run, problems.append)
    return load_history(path, options, NOW, scale), problems


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.refused


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ratings.csv"


def rated() -> list[tuple[str | None, str, float]]:
    found = Rating.objects.order_by("profile__external_id", "title__external_id")
    return list(found.values_list("profile__external_id", "title__external_id", "stars"))


def test_ratings_become_profiles_without_an_account(path: Path) -> None:
    path.write_text(HEADER + f"ann,1,4.5,{EARLY}\nann,2,0.5,2008-01-10T21:20:00Z\nböb,1,5,{LATE}\n")
    report, problems = load(path)
    assert problems == []
    assert counts(report) == (3, 0, 0, 0)
    assert rated() == [("ann", "1", 4.5), ("ann", "2", 0.5), ("böb", "1", 5.0)]
    assert not Profile.objects.exclude(account=None).exists()
    ann = Profile.objects.get(external_id="ann")
    assert ann.name == "Viewer ann"
    assert ann.created_at == NOW
    assert Rating.objects.get(profile=ann, title__external_id="1").rated_at == (
        datetime.fromtimestamp(EARLY, UTC)
    )


def test_the_same_in_json_lines_and_parquet_changes_nothing(tmp_path: Path, path: Path) -> None:
    path.write_text(HEADER + f"7,1,4.5,{EARLY}\n")
    load(path)
    line = {"profile_id": 7, "title_id": 1, "stars": 4.5, "rated_at": EARLY}
    (tmp_path / "ratings.jsonl").write_text(json.dumps(line))
    assert counts(load(tmp_path / "ratings.jsonl")[0]) == (0, 0, 1, 0)
    columns: dict[str, list[Any]] = {name: [value] for name, value in line.items()}
    columns["rated_at"] = [datetime.fromtimestamp(EARLY, UTC)]
    pq.write_table(pa.table(columns), tmp_path / "ratings.parquet")
    assert counts(load(tmp_path / "ratings.parquet")[0]) == (0, 0, 1, 0)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_movielens_folder_loads_twice_to_the_same(tmp_path: Path, form: str) -> None:
    columns = {
        "userId": [1, 1, 2],
        "movieId": [1, 2, 3],
        "rating": [4.0, 2.5, 5.0],
        "timestamp": [EARLY, EARLY, LATE],
    }
    if form == "parquet":
        pq.write_table(pa.table(columns), tmp_path / "ratings.parquet")
    else:
        lines = [",".join(map(str, line)) for line in zip(*columns.values(), strict=True)]
        (tmp_path / "ratings.csv").write_text("\r\n".join([",".join(columns), *lines]))
    assert counts(load(tmp_path)[0]) == (3, 0, 0, 0)
    before = list(Rating.objects.order_by("pk").values())
    assert counts(load(tmp_path)[0]) == (0, 0, 3, 0)
    assert list(Rating.objects.order_by("pk").values()) == before
    assert rated() == [("1", "1", 4.0), ("1", "2", 2.5), ("2", "3", 5.0)]


def test_the_latest_of_several_counts_whatever_their_order(path: Path) -> None:
    path.write_text(HEADER + f"ann,1,5,{LATE}\nann,1,1,{EARLY}\nann,2,1,{EARLY}\nann,2,2,{EARLY}\n")
    report, _ = load(path)
    assert counts(report) == (2, 0, 0, 0)
    assert report.repeated == 2
    assert rated() == [("ann", "1", 5.0), ("ann", "2", 2.0)]


@pytest.mark.parametrize(
    ("seconds", "value", "expected", "updated"),
    [(EARLY, 3.0, 5.0, 0), (LATE, 5.0, 5.0, 0), (LATE, 3.0, 3.0, 1), (LATE + 1, 3.0, 3.0, 1)],
)
def test_a_rating_in_the_database_that_is_newer_stays(
    path: Path, seconds: int, value: float, expected: float, updated: int
) -> None:
    path.write_text(HEADER + f"ann,1,5,{LATE}\n")
    load(path)
    path.write_text(HEADER + f"ann,1,{value},{seconds}\n")
    assert counts(load(path)[0]) == (0, updated, 1 - updated, 0)
    assert rated() == [("ann", "1", expected)]


def test_a_profile_that_an_account_took_over_stays_its(path: Path) -> None:
    account = User.objects.create_user("ana")
    Profile.objects.create(account=account, name="Ana", external_id="ann")
    path.write_text(HEADER + f"ann,1,5,{LATE}\n")
    load(path)
    profile = Profile.objects.get()
    assert (profile.account, profile.name) == (account, "Ana")
    assert profile.ratings.count() == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (",1,5,1100000000", "column profile_id: '' is empty; a value is needed"),
        ("ann,,5,1100000000", "column title_id: '' is empty; a value is needed"),
        ("ann,99,5,1100000000", "column title_id: '99' is no title of the catalogue"),
        ("ann,1,0,1100000000", "column stars: '0' is not a number from 0.5 to 5"),
        ("ann,1,nan,1100000000", "column stars: 'nan' is not a number from 0.5 to 5"),
        ("ann,1,great,1100000000", "column stars: 'great' is not a number from 0.5 to 5"),
        ("ann,1,,1100000000", "column stars: '' is not a number from 0.5 to 5"),
        ("ann,1,5,", "column rated_at: '' is empty; a time is needed"),
        ("ann,1,5,yesterday", "column rated_at: 'yesterday' is neither a time in seconds"),
        ("ann,1,5,99999999999999999999", "is neither a time in seconds since 1970"),
        ("ann,1,5,9999999999", "column rated_at: '9999999999' lies in the future"),
    ],
)
def test_a_bad_line_is_told_and_the_rest_is_loaded(path: Path, line: str, told: str) -> None:
    path.write_text(HEADER + f"bob,1,4,1100000000\n{line}\nbob,2,4,1100000000\n")
    report, problems = load(path)
    assert counts(report) == (2, 0, 0, 1)
    assert str(problems[0]).startswith("ratings.csv, line 3, ")
    assert told in str(problems[0])
    assert not Profile.objects.filter(external_id="ann").exists()


def test_problems_of_a_movielens_file_name_its_own_columns(path: Path) -> None:
    path.write_text("userId,movieId,rating,timestamp\n1,99,4,1100000000\n1,1,-9,1100000000\n")
    assert [str(problem) for problem in load(path)[1]] == [
        "ratings.csv, line 3, column rating: '-9' is not a number from 0.5 to 5",
        "ratings.csv, line 2, column movieId: '99' is no title of the catalogue",
    ]


def test_strict_refuses_a_history_with_an_unknown_title(path: Path) -> None:
    path.write_text(HEADER + "ann,1,4,1100000000\nann,99,4,1100000000\n")
    with pytest.raises(StrictRefused):
        load(path, strict=True)
    assert not Profile.objects.exists()


def test_a_dry_run_counts_and_keeps_nothing(path: Path) -> None:
    path.write_text(HEADER + "ann,1,4,1100000000\nann,99,4,1100000000\n")
    assert counts(load(path, dry_run=True)[0]) == (1, 0, 0, 1)
    assert not Profile.objects.exists()


def test_a_file_that_lacks_a_column_is_refused(path: Path) -> None:
    path.write_text("profile_id,title_id,stars\nann,1,4\n")
    with pytest.raises(FileRefused, match="lacks the column rated_at"):
        load(path)


def test_an_empty_history_loads_nothing(path: Path) -> None:
    path.write_text(HEADER)
    assert counts(load(path)[0]) == (0, 0, 0, 0)


@given(st.floats())
def test_stars_are_half_to_five_or_refused(value: float) -> None:
    if 0.5 <= value <= 5:
        assert Stars(5)(value) == Stars(5)(str(value)) == value
    else:
        with pytest.raises(BadValue):
            Stars(5)(value)


def test_the_command_prints_a_summary(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(HEADER + "ann,1,4,1100000000\nann,99,4,1100000000\n")
    call_command("load_history", path)
    out, err = capsys.readouterr()
    assert "Ratings: 1 created, 0 updated, 0 unchanged, 1 refused, in " in out
    assert "line 3, column title_id: '99' is no title of the catalogue" in err
    with pytest.raises(CommandError, match="nothing was loaded"):
        call_command("load_history", path, "--strict")


def test_help_and_docs_name_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("load_history", "--help")
    shown = capsys.readouterr().out
    docs = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
    for name in COLUMNS:
        assert f"  {name}" in shown
        assert f"| `{name}`" in docs


def test_more_than_five_stars_are_refused_until_the_scale_is_given(path: Path) -> None:
    path.write_text(HEADER + f"ann,1,9,{EARLY}\nann,2,10,{EARLY}\nann,3,1,{EARLY}\n")
    with pytest.raises(ImportRefused, match=r"ratings.csv holds more than 5 stars.* --scale 10"):
        load(path)
    assert rated() == []
    assert counts(load(path, scale=10)[0]) == (3, 0, 0, 0)
    assert rated() == [("ann", "1", 4.5), ("ann", "2", 5.0), ("ann", "3", 0.5)]
    report, problems = load(path, scale=5)
    assert counts(report) == (0, 1, 0, 2)
    assert "'10' is not a number from 0.5 to 5" in str(problems[1])


def test_the_command_takes_a_scale(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(HEADER + f"ann,1,9,{EARLY}\n")
    with pytest.raises(CommandError, match="--scale 10"):
        call_command("load_history", str(path))
    call_command("load_history", str(path), scale=10)
    assert rated() == [("ann", "1", 4.5)]


@pytest.mark.parametrize(
    ("written", "expected"), [("4,5", 4.5), (4, 4.0), (True, None), (None, None), ("nan", None)]
)
def test_a_number_of_stars_is_no_truth_value(written: object, expected: float | None) -> None:
    if expected is None:
        with pytest.raises(BadValue):
            Stars(5)(written)
    else:
        assert Stars(5)(written) == expected
