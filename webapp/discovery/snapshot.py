"""What the recommender was given, as plain JSON: a slate can be rebuilt from it."""

import zlib
from dataclasses import asdict
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from recommender.arrays import Float32
from recommender.data.catalogue import Catalogue
from recommender.data.examples import Examples
from recommender.data.sessions import EventKind
from recommender.ranking.page import PageConfig, Row
from recommender.serving.candidates import Listing
from recommender.serving.request import ShownRow, Viewer, ViewerEvent
from webapp.discovery.answer import Question


def snapshot_of(
    question: Question, catalogue: Catalogue, switches: dict[str, bool]
) -> dict[str, Any]:
    """Return the question in JSON's own types, with how far the catalogue reached."""
    ids = catalogue.titles.ids
    return {
        "switches": switches,
        "viewer": viewer_as_json(question.viewer),
        "page": asdict(question.page),
        "title": question.title_id,
        "text": question.text,
        "hidden": sorted(question.hidden),
        "goes_on": question.goes_on,
        "listing": asdict(question.listing) if question.listing else None,
        "played_next": list(question.played_next),
        "rival": question.rival,
        "catalogue": {"titles": len(ids), "last": int(ids[-1]) if len(ids) else 0},
    }


def question_of(snapshot: dict[str, Any]) -> Question:
    """Return the question that `snapshot_of` wrote.

    Raises:
        KeyError: something is missing: the slate was written before snapshots were whole.
    """
    return Question(
        viewer_from_json(snapshot["viewer"]),
        PageConfig(**snapshot["page"]),
        snapshot["title"],
        snapshot["text"],
        frozenset(snapshot["hidden"]),
        snapshot["goes_on"],
        Listing(**snapshot["listing"]) if snapshot["listing"] else None,
        tuple(snapshot["played_next"]),
        snapshot.get("rival", ""),
    )


def exactly(scores: Float32) -> list[float]:
    """Return numbers that JSON writes in the fewest digits that name each float32."""
    return [float(f"{score:.9g}") for score in scores.tolist()]


def version_1_scores(row: Row) -> Float32:
    """Return (N,) scores as slates held them before evidence was stored apart from scores.

    A search hit's score was -band + click probability.
    """
    if row.evidence is None:
        return row.scores
    return np.asarray(-row.evidence.astype(np.float32) + row.scores.clip(0, 1 - 1e-6))


def packed(features: Examples) -> bytes:
    """Return fields of places as bytes; about 30 a place."""
    arrays = {"categories": features.categories.astype(np.int32), "numbers": features.numbers}
    return zlib.compress(save(arrays), level=1)


def unpacked(stored: bytes | memoryview) -> Examples:
    """Return the fields that `packed` wrote, labels 0."""
    arrays = load(zlib.decompress(stored))
    categories = arrays["categories"].astype(np.int64)
    return Examples(categories, arrays["numbers"], np.zeros(len(categories), dtype=np.int64))


def viewer_as_json(viewer: Viewer) -> dict[str, Any]:
    """Return the viewer in JSON's own types."""
    return {
        "liked": [[id_, weight] for id_, weight in viewer.liked.items()],
        "liked_before": [[id_, weight] for id_, weight in viewer.liked_before.items()],
        "reasons": list(viewer.reasons),
        "excluded": sorted(viewer.excluded),
        "seen": sorted(viewer.seen),
        "unfinished": list(viewer.unfinished),
        "listed": list(viewer.listed),
        "events": [asdict(event) | {"kind": event.kind.name.lower()} for event in viewer.events],
        "now": viewer.now,
        "surface": viewer.surface,
        "on_screen": [asdict(row) for row in viewer.on_screen],
        "device": viewer.device,
        "profile": viewer.profile_id,
        "maturity_limit": viewer.maturity_limit,
        "hides_watched": viewer.hides_watched,
        "played_today": list(viewer.played_today),
        "refused_genres": sorted(viewer.refused_genres),
    }


def viewer_from_json(stored: dict[str, Any]) -> Viewer:
    """Return the viewer that `viewer_as_json` wrote.

    Raises:
        KeyError: something is missing: the slate was written before snapshots were whole.
    """
    return Viewer(
        liked={int(id_): float(weight) for id_, weight in stored["liked"]},
        liked_before={int(id_): float(weight) for id_, weight in stored["liked_before"]},
        reasons=stored["reasons"],
        excluded=frozenset(stored["excluded"]),
        seen=frozenset(stored["seen"]),
        unfinished=stored["unfinished"],
        listed=stored["listed"],
        events=[
            ViewerEvent(**event | {"kind": EventKind[event["kind"].upper()]})
            for event in stored["events"]
        ],
        now=stored["now"],
        surface=stored["surface"],
        on_screen=[ShownRow(**row) for row in stored["on_screen"]],
        device=stored["device"],
        profile_id=stored["profile"],
        maturity_limit=stored["maturity_limit"],
        hides_watched=stored["hides_watched"],
        played_today=stored["played_today"],
        refused_genres=frozenset(stored.get("refused_genres", ())),
    )
