"""Known-item questions: a sentence of a plot with words dropped and the others shuffled.

Which film was it? Asked of an engine as it is without a text embedder, and with one.
"""

import random
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.harness import Row, say
from benchmarks.search_questions import wikipedia_films
from recommender.retrieval.text_embedder import TextEmbedder
from search.engine import Document, SearchEngine
from search.passages import Passages, passages_of
from search.query import MAX_CHARACTERS

SEED = 7
FILMS, FILMS_QUICK = 5_000, 500
QUESTIONS, QUESTIONS_QUICK = 500, 100
KEPT = 0.5
"""Share of a sentence's words that are left."""
SHORTEST_SENTENCE = 8
"""Words; the first sentence of a plot, which names the film, is never asked."""
FIRST = 10
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def known_items(data: Path, model: Path, *, quick: bool) -> Iterator[Row]:
    """Yield the share of films found by their plot's words, and what embedding costs.

    Args:
        data: holds wikipedia-movies.
        model: a folder that `TextEmbedder` reads.
        quick: fewer films and questions.
    """
    rng = random.Random(SEED)  # noqa: S311  a draw, not a secret
    films = wikipedia_films(data / "wikipedia-movies" / "movies.parquet")
    films = rng.sample(films, FILMS_QUICK if quick else FILMS)
    asked = questions_about(films, QUESTIONS_QUICK if quick else QUESTIONS, rng)
    plain = SearchEngine.build(films)
    by_id = {film.id: film for film in films}
    films = [by_id[id_] for id_ in plain.document_ids.tolist()]
    embedder = TextEmbedder.load(model)
    say(f"embedding {len(films)} films")
    began = time.process_time()
    passages = embedded(films, embedder)
    seconds = (time.process_time() - began) / len(films)
    yield Row("known items", "embedder", "processor ms to embed a film", 1000 * seconds)
    engine = plain.with_passages(passages).with_embedder(embedder.embed_query)
    size = f"first {FIRST} of {len(asked)}, {len(films)} films"
    shares = {}
    for name, system in (("without embedder", plain), ("with embedder", engine)):
        shares[name], cost = share_found(system, asked)
        yield Row("known items", name, size, shares[name])
        yield Row("known items", name, "processor ms a question", cost)
    before, after = shares.values()
    yield Row("known items", "with embedder", "times as often, bar 1.5", after / before)
    costs = [_milliseconds(embedder, text) for text, _ in asked]
    yield Row(
        "known items", "embedder", "processor ms to embed a question", float(np.median(costs))
    )


def questions_about(
    films: Sequence[Document], count: int, rng: random.Random
) -> list[tuple[str, int]]:
    """Return at most so many texts, each with the id of the film that it is about."""
    asked = []
    for film in rng.sample(films, len(films)):
        sentences = [
            sentence.split()
            for sentence in _SENTENCE_END.split(film.plot)[1:]
            if len(sentence.split()) >= SHORTEST_SENTENCE
        ]
        if sentences:
            words = rng.choice(sentences)
            left = rng.sample(words, round(KEPT * len(words)))
            asked.append((" ".join(left)[:MAX_CHARACTERS], film.id))
    return asked[:count]


def embedded(films: Sequence[Document], embedder: TextEmbedder) -> Passages:
    """Return the vectors of all passages of the films."""
    passages = [passages_of(f.names, f.genres, f.people, f.plot) for f in films]
    texts = [text for of_film in passages for text in of_film]
    return Passages(embedder.embed_documents(texts), [len(of_film) for of_film in passages])


def share_found(engine: SearchEngine, asked: Sequence[tuple[str, int]]) -> tuple[float, float]:
    """Return the share of films among the first, and milliseconds of the processor a question."""
    began = time.process_time()
    found = []
    for text, film in asked:
        result = engine.search(text, FIRST, is_submitted=True)
        found.append(film in [hit.id for hit in (*result.hits, *result.near)][:FIRST])
    return float(np.mean(found)), 1000 * (time.process_time() - began) / len(asked)


def _milliseconds(embedder: TextEmbedder, text: str) -> float:
    began = time.process_time()
    embedder.embed_query(text)
    return 1000 * (time.process_time() - began)
