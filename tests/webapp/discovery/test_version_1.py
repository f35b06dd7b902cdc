"""Slates written before snapshots had a version are answered again with equal lists.

`fixtures/version_1` holds sixty titles, a release with a session encoder, a ranker, and the slates
of every surface that the code of then wrote over them.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.ranking.ranker import Ranker
from recommender.serving.fallback import PopularTitles
from recommender.serving.recommender import Recommender
from recommender.vocabulary import Vocabulary
from search.engine import Document, SearchEngine
from webapp.discovery.answer import answer
from webapp.discovery.snapshot import read_snapshot
from webapp.discovery.snapshot_version_1 import version_1_scores

FOLDER = Path(__file__).parent / "fixtures" / "version_1"
SLATES = [slate for slate in json.loads((FOLDER / "slates.json").read_text()) if "rows" in slate]


@pytest.fixture(scope="module")
def titles():
    return json.loads((FOLDER / "catalogue.json").read_text())


@pytest.fixture(scope="module")
def catalogue(titles):
    """All titles as arrays; the code of then left out those that are not available."""
    here = titles["titles"]
    is_available = np.array([title["is_available"] for title in here])
    genres = [[genre in title["genres"] for genre in titles["genres"]] for title in here]
    people = [[title["people"].get(str(id_), 0.0) for id_ in titles["people"]] for title in here]
    counted = is_available[:, None]
    return Catalogue(
        Vocabulary([title["id"] for title in here]),
        sparse.csr_array(np.array(genres, dtype=np.float32) * counted),
        np.array(titles["genres"]),
        np.array([title["added_at"] for title in here]),
        np.array([title["liked_by"] for title in here], dtype=np.float32) * is_available,
        np.array([title["year"] for title in here]),
        np.array([title["maturity"] for title in here]),
        sparse.csr_array(np.array(people, dtype=np.float32) * counted),
        np.array(titles["people"]),
        is_available,
    )


@pytest.fixture(scope="module")
def engine(titles):
    return SearchEngine.build(_document(title["document"]) for title in titles["titles"])


@pytest.fixture(scope="module")
def recommender(catalogue):
    return Recommender.load(FOLDER / "release", catalogue)


@pytest.fixture(scope="module")
def ranker():
    return Ranker.load(FOLDER / "ranker")


def _document(fields):
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}
    return Document(**values | {"chosen_after": tuple(map(tuple, fields["chosen_after"]))})


@pytest.mark.parametrize("slate", SLATES, ids=lambda slate: slate["name"].replace(" ", "-"))
def test_the_same_lists_are_shown(slate, catalogue, recommender, ranker, engine):
    if slate["is_fallback"]:
        source, search = PopularTitles(catalogue), engine
    else:
        source = recommender.with_ranker(ranker if slate["has_ranker"] else None)
        search = engine.with_space(source.space)
    rows = answer(read_snapshot(slate["snapshot"]).question, source, search).rows
    assert [(row.kind, row.key) for row in rows] == [(r["kind"], r["key"]) for r in slate["rows"]]
    for row, stored in zip(rows, slate["rows"], strict=True):
        assert source.catalogue.titles.ids_of(row.items).tolist() == stored["titles"]
        np.testing.assert_allclose(version_1_scores(row), stored["scores"], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(row.propensities, stored["propensities"], rtol=1e-6)
        assert row.num_pinned == stored["pinned"]
        assert list(row.teams) == stored.get("teams", [])
