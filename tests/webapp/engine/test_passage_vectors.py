"""Passages of the catalogue are embedded once, by the worker, and kept by their texts."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest

from search.engine import Document, SearchEngine
from webapp.engine import live, passage_vectors, responses
from webapp.engine.catalogue import revision
from webapp.engine.catalogue_index import open_index, publish_index
from webapp.engine.passage_vectors import with_passages
from webapp.engine.polling import poller
from webapp.events.visits import current_visit

SIZE = 3
FILMS = [Document(0, "Jaws", plot="A shark. A beach."), Document(1, "Fargo", plot="Snow.")]


class Embedder:
    """Every text is the same; keeps what it was asked."""

    config = SimpleNamespace(embedding_size=SIZE)

    def __init__(self):
        self.documents, self.queries = [], []

    def embed_documents(self, texts):
        self.documents += texts
        return np.eye(1, SIZE, dtype=np.float32).repeat(len(texts), axis=0)

    def embed_query(self, text):
        self.queries.append(text)
        return np.eye(1, SIZE, dtype=np.float32)[0]


@pytest.fixture
def embedder(monkeypatch):
    made = Embedder()
    monkeypatch.setattr(passage_vectors, "_loaded", lambda named: (made, "0f" * 8))
    return made


def vectors(engine):
    return engine._passages._vectors.tolist()


def test_without_an_embedder_search_stays_as_it_is():
    engine = SearchEngine.build(FILMS)
    assert with_passages(engine, FILMS, embeds=True) is engine
    assert passage_vectors.with_embedder(engine) is engine
    assert passage_vectors.embedder_fingerprint() == ""


def test_only_new_passages_are_embedded(embedder):
    engine = SearchEngine.build(FILMS)
    first = with_passages(engine, FILMS, embeds=True)
    assert embedder.documents == ["Jaws", "A shark.", "A beach.", "Fargo", "Snow."]
    embedder.documents.clear()
    changed = [FILMS[0], Document(1, "Fargo", plot="Snow. A crime.")]
    with_passages(engine, changed, embeds=True)
    assert embedder.documents == ["A crime."]
    assert vectors(with_passages(engine, FILMS, embeds=False)) == vectors(first)
    assert embedder.documents == ["A crime."]


def test_who_may_not_embed_leaves_the_vectors_out(embedder):
    engine = with_passages(SearchEngine.build(FILMS), FILMS, embeds=False)
    assert embedder.documents == []
    assert not np.array(vectors(engine)).any()


def test_vectors_that_cannot_be_read_are_made_again(embedder, settings, caplog):
    with_passages(SearchEngine.build(FILMS), FILMS, embeds=True)
    [kept] = (settings.MARQUEE_HOME / "embeddings").iterdir()
    kept.write_bytes(b"broken")
    embedder.documents.clear()
    with caplog.at_level(logging.WARNING):
        with_passages(SearchEngine.build(FILMS), FILMS, embeds=True)
    assert "is made again" in caplog.text
    assert len(embedder.documents) == 5


def test_a_model_that_cannot_be_loaded_is_logged_and_done_without(settings, tmp_path, caplog):
    settings.EMBEDDER = str(tmp_path / "nothing here")
    engine = SearchEngine.build(FILMS)
    assert with_passages(engine, FILMS, embeds=True) is engine
    assert "MARQUEE_EMBEDDER" in caplog.text


@pytest.mark.django_db
def test_the_index_holds_them_and_only_a_submitted_search_embeds(embedder, release, people, now):
    assert publish_index()
    asked = len(embedder.documents)
    assert asked > 0
    poller.forget()
    assert live.holder.get().search._passages is not None
    assert len(embedder.documents) == asked
    visit = current_visit(None, people[0], now)
    responses.typed(visit, "fish in the ocean", now)
    assert embedder.queries == []
    responses.search(visit, "fish in the ocean", now)
    assert embedder.queries == ["fish in the ocean"]


@pytest.mark.django_db
def test_an_index_of_another_model_is_not_opened(embedder, films, monkeypatch):
    assert publish_index()
    monkeypatch.setattr(passage_vectors, "_loaded", lambda named: (embedder, "1f" * 8))
    assert open_index(revision(), None) is None
    assert publish_index()
