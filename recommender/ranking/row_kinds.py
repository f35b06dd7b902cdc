"""Kinds of row: from a kind's name to how its rows are ordered, pinned, explained and encoded.

A new kind is one entry of `ROW_KINDS`, with the next free code, and a heading in
`webapp/engine/wording.py`; docs/page.md describes each.
"""

from dataclasses import dataclass
from enum import StrEnum

THIS_VISIT = "this_visit"
BECAUSE_WATCHED = "because_watched"
CONTINUE_WATCHING = "continue_watching"
MY_LIST = "my_list"
RESULTS = "results"
TYPED = "typed"
SPOTLIGHT = "spotlight"

RowId = tuple[str, int | None]
"""What makes two rows the same one: the kind's name and the key."""


class Subject(StrEnum):
    """What a row's key names; the heading speaks of it, and without it there is no row."""

    TITLE = "title"
    GENRE = "genre"
    GENRE_PAIR = "genre_pair"
    PERSON = "person"


@dataclass(frozen=True)
class RowKind:
    """How rows of one kind are treated.

    Attributes:
        name: in slates, events and metrics.
        code: its value in the ranker's field `row`; never changes, for live rankers learned it.
        weight: multiplies what a row promises when rows compete for a position. Set by hand.
        subject: what its key names.
        is_personal: chosen for the viewer's taste: it leaves out what the viewer has seen, and
            each title is explained by the taste.
        is_reranked: the ranker orders its titles; other rows have an order of their own.
        keeps_order: neither diversified nor explored, because its order is its content.
        is_kept_by_viewer: Continue Watching and My List: in the viewer's order, never shortened by
            the rows above.
        may_repeat: a chart: its titles may stand once more on the page, below the fold.
        is_pinnable: what a visit has seen of it stays on the next page.
        ignores_key: a page has one such row, whatever its key.
        lead_order: the row with the smallest lends its first title to the top of the page.
        uses_neighbours: R-LARM's neighbours fill it.
        is_drafted: two rankings may share it in an interleaving experiment.
    """

    name: str
    code: int
    weight: float = 1.0
    subject: Subject | None = None
    is_personal: bool = False
    is_reranked: bool = False
    keeps_order: bool = False
    is_kept_by_viewer: bool = False
    may_repeat: bool = False
    is_pinnable: bool = True
    ignores_key: bool = False
    lead_order: int = 2
    uses_neighbours: bool = False
    is_drafted: bool = False


ROW_KINDS: dict[str, RowKind] = {
    kind.name: kind
    for kind in (
        RowKind(
            THIS_VISIT,
            1,
            weight=1.3,
            is_personal=True,
            is_reranked=True,
            is_pinnable=False,
            ignores_key=True,
            lead_order=0,
        ),
        RowKind(
            BECAUSE_WATCHED,
            2,
            weight=1.25,
            subject=Subject.TITLE,
            is_personal=True,
            is_reranked=True,
            uses_neighbours=True,
        ),
        RowKind("top_picks", 3, weight=1.2, is_personal=True, is_reranked=True, lead_order=1),
        RowKind("trending", 4, weight=0.9, lead_order=1),
        RowKind("from_likes", 5, is_personal=True, is_reranked=True, uses_neighbours=True),
        RowKind("genre", 6, weight=0.9, subject=Subject.GENRE, is_personal=True, is_reranked=True),
        RowKind("new", 7, weight=0.85, keeps_order=True),
        RowKind(CONTINUE_WATCHING, 8, keeps_order=True, is_kept_by_viewer=True, is_pinnable=False),
        RowKind(MY_LIST, 9, keeps_order=True, is_kept_by_viewer=True, is_pinnable=False),
        RowKind("suggestions", 10, is_personal=True, is_reranked=True, is_drafted=True),
        RowKind(RESULTS, 11, keeps_order=True, is_drafted=True),
        RowKind("more_like", 12, is_reranked=True, uses_neighbours=True),
        RowKind("near", 13),
        RowKind("top_10", 14, keeps_order=True, may_repeat=True, is_pinnable=False),
        RowKind(
            "genre_pair",
            15,
            weight=0.9,
            subject=Subject.GENRE_PAIR,
            is_personal=True,
            is_reranked=True,
        ),
        RowKind(
            "person", 16, weight=0.95, subject=Subject.PERSON, is_personal=True, is_reranked=True
        ),
        RowKind("hidden_gems", 17, weight=0.8, is_personal=True, is_reranked=True),
        RowKind("watch_again", 18, weight=0.85),
        RowKind("played_next", 19),
        RowKind("popular", 20, weight=1.2, lead_order=1),
        RowKind(TYPED, 21),
        RowKind(
            SPOTLIGHT,
            22,
            is_personal=True,
            keeps_order=True,
            is_pinnable=False,
            ignores_key=True,
            lead_order=-1,
        ),
    )
}
"""All kinds by name, in the order of their codes."""


def row_kind(name: str) -> RowKind:
    """Return the kind of this name; code 0 and no properties for one that is no longer there."""
    return ROW_KINDS.get(name) or RowKind(name, code=0)


def row_id(kind: str, key: int | None) -> RowId:
    """Return what makes a row of this kind and key the same row on two pages."""
    return kind, None if row_kind(kind).ignores_key else key
