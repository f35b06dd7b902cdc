"""Build a slate again from what it was given, by its own release or by another one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.data.catalogue import Catalogue
from recommender.data.examples import Examples
from recommender.errors import RecommenderError
from recommender.serving.fallback import PopularTitles
from recommender.serving.recommender import Recommender
from search.engine import SearchEngine
from webapp.catalog.models import Title
from webapp.discovery.answer import answer
from webapp.discovery.questions import ListingQuestion, SearchQuestion, TitleQuestion
from webapp.discovery.ranker_fields import shortest_floats, unpack_fields
from webapp.discovery.snapshot import CatalogueExtent, Snapshot, SnapshotError, read_snapshot
from webapp.discovery.snapshot_version_1 import version_1_scores
from webapp.engine.catalogue import export_catalogue, export_documents
from webapp.engine.live import load_ranker, with_similarity_of
from webapp.engine.passage_vectors import with_embedder, with_passages
from webapp.releases.models import Release
from webapp.slates.models import Slate

StoredRow = Mapping[str, Any]
"""A row as `Slate.rows` holds it: kind, key, titles and scores by slot."""


class ReplayError(Exception):
    """Why a slate cannot be built again, in words."""


@dataclass(frozen=True)
class RowDifference:
    """How a row stands before and after; places and slots from 0, a place is None without the row.

    Attributes:
        kind: the row's.
        key: the row's.
        place_before: its place among the rows.
        place_after: the same.
        came: titles that are there only after, with their slots.
        left: titles that were there only before, with their slots.
        moved: titles with their slots before and after.
        score_gap: the largest difference of a score among titles that stayed.
    """

    kind: str
    key: int | None
    place_before: int | None
    place_after: int | None
    came: list[tuple[int, int]]
    left: list[tuple[int, int]]
    moved: list[tuple[int, int, int]]
    score_gap: float

    def __bool__(self) -> bool:
        changed = self.came or self.left or self.moved or self.score_gap
        return bool(changed) or self.place_before != self.place_after


@dataclass(frozen=True)
class Replay:
    """What is shown when the slate is built again, how that differs, and what to know of it."""

    rows: list[StoredRow]
    differences: list[RowDifference]
    notes: list[str]
    feature_skew: float | None = None
    """Largest difference between the ranker's features then and now; None where those of then were
    not kept, or another release was requested."""


def replay(slate: Slate, release: Release | None = None) -> Replay:
    """Answer the slate's question again, over the catalogue as far as it reached then.

    Args:
        slate: what was shown.
        release: by which; None takes the slate's own, or popular titles where those were served.

    Raises:
        ReplayError: the slate is too old, or its release is gone.
    """
    snapshot = _snapshot_of(slate)
    question, last_title = snapshot.question, snapshot.catalogue.last
    notes = list(_notes(slate, snapshot.catalogue))
    served_by = release or slate.release
    source = _source(slate, served_by, export_catalogue(last_title))
    search = SearchEngine([])
    if isinstance(question, SearchQuestion | TitleQuestion | ListingQuestion):
        chosen_until = served_by.created_at if served_by else None
        documents = list(export_documents(last_title, chosen_until))
        search = with_embedder(
            with_passages(SearchEngine.build(documents), documents, embeds=False)
        )
        if isinstance(source, Recommender):
            search = with_similarity_of(search.with_space(source.space), source)
    replayed = answer(question, source, search)
    with_evidence = {(row["kind"], row["key"]) for row in slate.rows if "evidence" in row}
    rows: list[StoredRow] = [
        {
            "kind": row.kind,
            "key": row.key,
            "titles": source.catalogue.titles.ids_of(row.items).tolist(),
            "scores": shortest_floats(
                row.scores if (row.kind, row.key) in with_evidence else version_1_scores(row)
            ),
        }
        for row in replayed.rows
    ]
    skew = None
    if release is None and slate.features is not None:
        fields = source.features(replayed.rows, question.viewer, question.context, replayed.taste)
        skew = None if fields is None else _skew(unpack_fields(slate.features), fields)
    return Replay(rows, differences(slate.rows, rows), notes, skew)


def _source(
    slate: Slate, release: Release | None, catalogue: Catalogue
) -> Recommender | PopularTitles:
    """Return what answers: the release with the slate's ranker, or popular titles.

    Raises:
        ReplayError: the release is gone, or cannot be loaded.
    """
    if release is not None:
        try:
            ranker = load_ranker(slate.ranker) if slate.ranker else None
            return Recommender.load(release.fetch(), catalogue).with_ranker(ranker)
        except RecommenderError as error:
            name = f"{release} with {slate.ranker}" if slate.ranker else str(release)
            raise ReplayError(f"{name.capitalize()} cannot be loaded: {error}") from error
    if slate.fallback_reason:
        return PopularTitles(catalogue)
    raise ReplayError("The release that made this slate was deleted. Name another one.")


def differences(before: Sequence[StoredRow], after: Sequence[StoredRow]) -> list[RowDifference]:
    """Return the rows that are not the same on both pages; none where the pages are equal."""
    old, new = ({(row["kind"], row["key"]): row for row in rows} for rows in (before, after))
    places = [{name: n for n, name in enumerate(rows)} for rows in (old, new)]
    found = [
        _difference(name, old.get(name), new.get(name), *(place.get(name) for place in places))
        for name in dict.fromkeys([*old, *new])
    ]
    return [difference for difference in found if difference]


def _skew(then: Examples, now: Examples) -> float:
    """Return the largest difference of any field of any place."""
    if then.categories.shape != now.categories.shape:
        return float("inf")
    gaps = [
        np.abs(then.categories - now.categories).max(initial=0),
        np.abs(then.numbers - now.numbers).max(initial=0),
    ]
    return float(max(gaps))


def _difference(
    name: tuple[str, int | None],
    old: StoredRow | None,
    new: StoredRow | None,
    place_before: int | None,
    place_after: int | None,
) -> RowDifference:
    before, after = _slots(old), _slots(new)
    stayed = [title for title in before if title in after]
    return RowDifference(
        *name,
        place_before,
        place_after,
        came=[(title, slot) for title, (slot, _) in after.items() if title not in before],
        left=[(title, slot) for title, (slot, _) in before.items() if title not in after],
        moved=[(t, before[t][0], after[t][0]) for t in stayed if before[t][0] != after[t][0]],
        score_gap=max((abs(before[t][1] - after[t][1]) for t in stayed), default=0.0),
    )


def _slots(row: StoredRow | None) -> dict[int, tuple[int, float]]:
    """Each title's slot and score."""
    if row is None:
        return {}
    pairs = zip(row["titles"], row["scores"], strict=True)
    return {title: (slot, score) for slot, (title, score) in enumerate(pairs)}


def _snapshot_of(slate: Slate) -> Snapshot:
    try:
        return read_snapshot(slate.snapshot)
    except SnapshotError as error:
        raise ReplayError(str(error)) from error


def _notes(slate: Slate, extent: CatalogueExtent) -> Iterator[str]:
    """What has changed since that a replay cannot undo, or leaves out. Four queries."""
    if slate.fallback_reason:
        yield (
            f"Popular titles were served, because: {slate.fallback_reason}. They follow the "
            "ratings of the moment, so this list may have been another."
        )
    if extent.changed:
        yield (
            f"{_count(extent.changed)} changed or added shortly before, and counted in part as "
            "before that. Scores may differ in their last digits."
        )
    then = Title.objects.filter(pk__lte=extent.last)
    deleted = extent.titles - then.count()
    shown = {title for row in slate.rows for title in row["titles"]}
    gone = sorted(shown - set(then.filter(pk__in=shown).values_list("pk", flat=True)))
    if deleted > 0:
        words = (
            f"; of those shown: {', '.join(map(str, gone))}" if gone else "; none of those shown"
        )
        yield f"{_count(deleted)} deleted since{words}. The list cannot be the same everywhere."
    changed = then.filter(updated_at__gt=slate.created_at).count()
    if changed:
        yield f"{_count(changed)} changed since, in the catalogue; how it was before is not known."
    added = Title.objects.filter(pk__gt=extent.last).count()
    if added:
        yield f"{_count(added)} added since and left out here."


def _count(titles: int) -> str:
    return "1 title was" if titles == 1 else f"{titles} titles were"
