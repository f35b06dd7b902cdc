"""Rows of item numbers as what a template shows: titles, headings, and why each is there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from recommender.ranking.page import Row
from recommender.ranking.reasons import Reason
from recommender.ranking.row_kinds import Subject, row_kind
from recommender.serving.request import Viewer
from search.retrieve import Band
from webapp.catalog.models import Genre, Person, Title
from webapp.discovery.answer import Answer
from webapp.discovery.ranker_fields import shortest_floats
from webapp.discovery.source import RecommendationSource
from webapp.engine.cards import CardFace, Cards, TitleFacts
from webapp.engine.wording import FEATURED, Subjects, Wording
from webapp.events.evidence import Evidence
from webapp.events.visits import CurrentVisit


@dataclass(frozen=True)
class SlotView:
    """A place in a row.

    Attributes:
        title: what stands there; shared, not to be changed.
        slot: its number from 0.
        why: why this title, in words.
        score: that placed it.
        progress: how far it was played, 0 to 1; None where it was not begun or is finished.
        propensity: how probably the title came to this place.
        visit_share: the gate: how much of the taste was this visit, 0 to 1; None where taste had
            no say or the gate is not known.
        team: which of two rankings put the title there, in a list that both drafted.
        evidence: search's band of evidence, 0 the strongest; None where nothing was searched for.
        faces: the cards' faces by title id, shared by all who show this state of the catalogue.
        facts: what the API answers of titles, shared alike.
    """

    title: Title
    slot: int
    why: str
    score: float
    progress: float | None = None
    propensity: float = 1.0
    visit_share: float | None = None
    team: int | None = None
    evidence: int | None = None
    faces: dict[int, CardFace] = field(default_factory=dict, repr=False, compare=False)
    facts: dict[int, TitleFacts] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class RowView:
    kind: str
    heading: str
    reason: str
    slots: list[SlotView]
    key: int | None = None
    genre: Genre | None = None
    num_pinned: int = 0
    person: Person | None = None
    is_updated: bool = False
    """Whether it answers what was done since this visit's last home page."""


@dataclass(frozen=True)
class ViewContext:
    """What rows are put into words with: cards of the catalogue, the evidence, the visit."""

    cards: Cards
    evidence: Evidence
    visit: CurrentVisit


def views_of(
    answer: Answer, source: RecommendationSource, viewer: Viewer, context: ViewContext
) -> list[RowView]:
    """Turn rows into what a template shows; queries only for what is not at hand.

    A row about a title, genre or person that is gone is left out, as is a title that is gone.
    """
    rows = answer.rows
    reasons = source.reasons(rows, viewer, answer.taste)
    ids = [source.catalogue.titles.ids_of(row.items).tolist() for row in rows]
    subjects = _subjects(rows, ids, reasons, context.cards)
    wording = Wording(subjects, context.evidence, context.visit)
    progress = {p.title_id: p.progress for p in context.evidence.playbacks if p.is_unfinished}
    share = answer.taste.visit_share if answer.taste else None
    views = []
    for row, row_ids, row_reasons in zip(rows, ids, reasons, strict=True):
        if subjects.name(row) is None:
            continue
        of_row = wording.reason(row)
        slots: list[SlotView] = []
        for slot, reason in zip(_slots(row, row_ids), row_reasons, strict=True):
            title = subjects.titles.get(slot.title_id)
            if title is None:
                continue
            slots.append(
                SlotView(
                    title,
                    len(slots),
                    FEATURED
                    if slot.evidence == Band.PINNED
                    else wording.why(reason, row, title, len(slots), of_row),
                    slot.score,
                    progress.get(slot.title_id),
                    slot.propensity,
                    share if reason.is_of_taste else None,
                    slot.team,
                    slot.evidence,
                    context.cards.faces,
                    context.cards.facts,
                )
            )
        views.append(
            RowView(
                row.kind,
                wording.heading(row),
                of_row,
                slots,
                row.key,
                subjects.genre_of(row),
                row.num_pinned,
                subjects.person_of(row),
            )
        )
    return views


class _Slot(NamedTuple):
    """A slot of a row by title id, in Python's own numbers."""

    title_id: int
    score: float
    propensity: float
    team: int | None
    evidence: int | None


def _slots(row: Row, ids: Sequence[int]) -> Iterator[_Slot]:
    columns = zip(
        ids,
        shortest_floats(row.scores),
        shortest_floats(row.propensities),
        row.teams or [None] * len(ids),
        [None] * len(ids) if row.evidence is None else row.evidence.tolist(),
        strict=True,
    )
    return (_Slot(*values) for values in columns)


def _subjects(
    rows: Sequence[Row],
    ids: Sequence[Sequence[int]],
    reasons: Sequence[Sequence[Reason]],
    cards: Cards,
) -> Subjects:
    """Fetch all that the rows speak of."""
    titles = {id_ for row_ids in ids for id_ in row_ids}
    titles |= set(_keys(rows, Subject.TITLE))
    titles |= set(_named_by(reasons))
    return Subjects(cards.titles(titles), cards.genres, cards.people(_keys(rows, Subject.PERSON)))


def _keys(rows: Sequence[Row], subject: Subject) -> list[int]:
    """Return what rows about such a subject are about."""
    return [
        row.key for row in rows if row_kind(row.kind).subject == subject and row.key is not None
    ]


def _named_by(reasons: Sequence[Sequence[Reason]]) -> Iterator[int]:
    for row_reasons in reasons:
        for reason in row_reasons:
            yield from reason.titles
