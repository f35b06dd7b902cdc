"""Snapshots: a question as versioned JSON in its slate, from which the slate is answered again.

Version 2 is the question's own fields in JSON's types, by `cattrs`, beside its name (`question`),
the profile's switches and how far the catalogue reached. Snapshots without a version are the first;
`webapp.discovery.snapshot_version_1` brings them to this form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cattrs import BaseValidationError, Converter

from recommender.data.catalogue import Catalogue
from recommender.data.sessions import EventKind
from recommender.errors import RecommenderError
from webapp.discovery.questions import (
    HomeQuestion,
    ListingQuestion,
    Question,
    RowsBelowQuestion,
    SearchQuestion,
    SuggestionsQuestion,
    TitleQuestion,
)
from webapp.discovery.snapshot_version_1 import upgraded

VERSION = 2
QUESTIONS: dict[str, type[Question]] = {
    "home": HomeQuestion,
    "rows_below": RowsBelowQuestion,
    "title": TitleQuestion,
    "listing": ListingQuestion,
    "search": SearchQuestion,
    "suggestions": SuggestionsQuestion,
}
"""By their names in snapshots, which never change."""
NAMES = {question: name for name, question in QUESTIONS.items()}
Weights = Mapping[int, float]


class SnapshotError(Exception):
    """Why a snapshot cannot be read, in words."""


@dataclass(frozen=True)
class CatalogueExtent:
    """How far the catalogue reached.

    Attributes:
        titles: how many.
        last: the id of the last one.
        changed: how many of them changed or came after the index that answered was built.
    """

    titles: int
    last: int
    changed: int = 0


@dataclass(frozen=True)
class Snapshot:
    """What a slate was answered from."""

    question: Question
    catalogue: CatalogueExtent


def snapshot_of(
    question: Question, catalogue: Catalogue, switches: dict[str, bool], num_changed: int = 0
) -> dict[str, Any]:
    """Return the question in JSON's own types, with the extent of the catalogue.

    Args:
        question: what was asked.
        catalogue: over which it was answered.
        switches: the profile's.
        num_changed: titles that changed after its index was built.
    """
    ids = catalogue.titles.ids
    extent = CatalogueExtent(len(ids), int(ids[-1]) if len(ids) else 0, num_changed)
    return {
        "version": VERSION,
        "question": NAMES[type(question)],
        "switches": switches,
        "catalogue": {
            k: v for k, v in _converter.unstructure(extent).items() if v or k != "changed"
        },
        **_converter.unstructure(question),
    }


def read_snapshot(stored: Mapping[str, Any]) -> Snapshot:
    """Return what `snapshot_of` wrote, today or before there were versions.

    Raises:
        SnapshotError: it answered a keystroke, is of an unknown version, or is not whole.
    """
    version = stored.get("version", 1)
    if version not in (1, VERSION):
        raise SnapshotError(
            f"This snapshot is of version {version}; versions 1 and {VERSION} can be read here. "
            "Replay the slate with the Marquee that wrote it."
        )
    try:
        fields = dict(upgraded(stored) if version == 1 else stored)
        question = QUESTIONS[fields.pop("question")]
        extent = _converter.structure(fields.pop("catalogue"), CatalogueExtent)
        for name in ("version", "switches"):
            fields.pop(name, None)
        return Snapshot(_converter.structure(fields, question), extent)
    except (KeyError, TypeError, ValueError, BaseValidationError, RecommenderError) as error:
        raise SnapshotError(
            "This slate does not keep what it was built from: it answered a keystroke, or is older "
            "than that rule."
        ) from error


def _make_converter() -> Converter:
    """Return the codec; what keeps its order in JSON (jsonb sorts keys) is a list of pairs."""
    converter = Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(EventKind, lambda kind: kind.name.lower())
    converter.register_structure_hook(EventKind, lambda name, _: EventKind[name.upper()])
    converter.register_unstructure_hook_func(
        lambda type_: type_ == Weights, lambda weights: [list(pair) for pair in weights.items()]
    )
    converter.register_structure_hook_func(
        lambda type_: type_ == Weights,
        lambda pairs, _: {int(id_): float(weight) for id_, weight in pairs},
    )
    converter.register_unstructure_hook_func(lambda type_: type_ == frozenset[int], sorted)
    return converter


_converter = _make_converter()
