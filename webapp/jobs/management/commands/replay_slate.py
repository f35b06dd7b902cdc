"""manage.py replay_slate: rebuild a slate and compare, or show what another release would show."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from webapp.catalog.models import Genre, Title
from webapp.engine.live import limit_threads
from webapp.engine.replay import Replay, ReplayError, RowDifference, StoredRow, replay
from webapp.releases.models import Release
from webapp.slates.models import Slate


class Command(BaseCommand):
    help = (
        "Rebuild a slate from its snapshot and compare every row, title, slot and score. With "
        "--release show what that release would have shown instead."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slate", type=UUID, help="the slate's id")
        parser.add_argument("--release", type=int, metavar="N", help="by release N")

    def handle(self, *args: Any, **options: Any) -> None:
        slate = (
            Slate.objects.select_related("release", "ranker").filter(pk=options["slate"]).first()
        )
        if slate is None:
            raise CommandError(f"There is no slate {options['slate']}. Old ones are deleted.")
        other = _release(options["release"])
        limit_threads()
        try:
            rebuilt = replay(slate, other)
        except ReplayError as error:
            raise CommandError(str(error)) from error
        made_by = slate.release or "popular titles"
        self.stdout.write(f"{slate}, {slate.created_at:%Y-%m-%d %H:%M:%S} UTC, by {made_by}")
        for note in rebuilt.notes:
            self.stdout.write(f"Note: {note}")
        names = _Names.of(slate, rebuilt)
        if other is not None:
            self.stdout.write(f"\n{str(other).capitalize()} would have shown:")
            for row in rebuilt.rows:
                titles = ", ".join(names.title(id_) for id_ in row["titles"])
                self.stdout.write(f"  {names.row(row['kind'], row['key'])}: {titles}")
        if rebuilt.feature_skew is not None:
            self.stdout.write(
                f"Features kept and computed again differ by {rebuilt.feature_skew:g}."
            )
        self._compare(slate, rebuilt, names)
        if rebuilt.differences and other is None:
            raise CommandError("The list built again is not the list that was shown.")

    def _compare(self, slate: Slate, rebuilt: Replay, names: "_Names") -> None:
        if not rebuilt.differences:
            slots = sum(len(row["titles"]) for row in slate.rows)
            self.stdout.write(
                f"The same: {len(slate.rows)} rows, {slots} titles, every slot and every score."
            )
            return
        self.stdout.write(f"\nDifferent in {len(rebuilt.differences)} rows:")
        for difference in rebuilt.differences:
            self.stdout.write(f"  {names.row(difference.kind, difference.key)}")
            for line in _lines(difference, names):
                self.stdout.write(f"    {line}")


class _Names:
    """Names of titles and rows, for the report. Two queries."""

    def __init__(self, titles: dict[int, Title], genres: dict[int, Genre]) -> None:
        self._titles, self._genres = titles, genres

    @classmethod
    def of(cls, slate: Slate, rebuilt: Replay) -> "_Names":
        rows: list[StoredRow] = [*slate.rows, *rebuilt.rows]
        keys = {row["key"] for row in rows if row["key"] is not None}
        shown = {id_ for row in rows for id_ in row["titles"]}
        return cls(Title.objects.in_bulk(shown | keys), Genre.objects.in_bulk(keys))

    def title(self, id_: int) -> str:
        title = self._titles.get(id_)
        return f"{title} [{id_}]" if title else f"[{id_}, deleted]"

    def row(self, kind: str, key: int | None) -> str:
        if key is None:
            return kind
        if kind == "genre":
            return f"genre {self._genres.get(key, f'[{key}, deleted]')}"
        return f"{kind} {self.title(key)}"


def _lines(difference: RowDifference, names: _Names) -> list[str]:
    """Return a line for each difference; rows and slots are counted from 1."""
    lines = []
    before, after = difference.place_before, difference.place_after
    if after is None:
        return ["the row is gone"]
    if before is None:
        lines.append(f"the row is new, row {after + 1}")
    elif before != after:
        lines.append(f"the row moved: row {before + 1}, now {after + 1}")
    lines += [f"in:    {names.title(id_)}, slot {slot + 1}" for id_, slot in difference.came]
    lines += [f"out:   {names.title(id_)}, slot {slot + 1}" for id_, slot in difference.left]
    lines += [
        f"moved: {names.title(id_)}, slot {old + 1}, now {new + 1}"
        for id_, old, new in difference.moved
    ]
    if difference.score_gap:
        lines.append(f"scores of the same titles differ by up to {difference.score_gap:.3g}")
    return lines


def _release(number: int | None) -> Release | None:
    if number is None:
        return None
    release = Release.objects.filter(pk=number).first()
    if release is None:
        raise CommandError(f"There is no release {number}. `manage.py releases` lists them.")
    return release
