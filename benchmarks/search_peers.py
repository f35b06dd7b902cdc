"""Other ways to find a name among many, behind the call that our engine is asked by."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import psycopg
import tantivy
from rapidfuzz import process
from rapidfuzz.distance import OSA

from benchmarks.databases import database
from benchmarks.harness import say
from search.text import fold

Ask = Callable[[str, int], list[int]]
"""A text and how many at most; places of names, best first."""
DATABASE = "marquee_benchmark_search"
EXACT_BOOST, WORD_BOOST, BEGUN_BOOST = 10.0, 3.0, 2.0
LONGEST_SHORT, LONGEST_MIDDLE = 3, 7
"""tantivy's words may have no mistake up to here, one up to there, then two."""


@contextmanager
def peers(names: list[str]) -> Iterator[dict[str, Ask]]:
    """Yield the peers over these names; PostgreSQL only where DATABASE_URL names a server."""
    with ExitStack() as stack:
        asks = {
            "tantivy": _tantivy(names),
            "rapidfuzz": _rapidfuzz(names),
            "sorted": _sorted(names),
        }
        try:
            url = stack.enter_context(database(DATABASE))
        except psycopg.OperationalError as error:
            say(f"PostgreSQL is left out, DATABASE_URL names no server: {error}")
        else:
            connection = stack.enter_context(psycopg.connect(url, autocommit=True))
            asks["pg_trgm"] = _pg_trgm(connection, names)
        yield asks


def _pg_trgm(connection: psycopg.Connection, names: list[str]) -> Ask:
    """Names that begin with the text, then the most similar by trigrams, from a GiST index each."""
    connection.execute("CREATE EXTENSION pg_trgm")
    connection.execute("CREATE TABLE films (place int PRIMARY KEY, name text NOT NULL)")
    with connection.cursor().copy("COPY films FROM STDIN") as copy:
        for place, name in enumerate(names):
            copy.write_row((place, fold(name) or name))
    connection.execute("CREATE INDEX ON films USING gist (name gist_trgm_ops (siglen = 64))")
    connection.execute("CREATE INDEX ON films (name text_pattern_ops)")
    connection.execute("ANALYZE films")
    question = """
        WITH begun AS (
            SELECT place, 0 AS worse, length(name)::float AS apart FROM films
            WHERE name LIKE %(like)s ORDER BY length(name), place LIMIT %(k)s
        ), alike AS (
            SELECT place, 1, (name <-> %(text)s)::float FROM films
            ORDER BY name <-> %(text)s LIMIT %(k)s
        )
        SELECT place FROM (SELECT * FROM begun UNION ALL SELECT * FROM alike) AS found
        GROUP BY place ORDER BY min(worse), min(apart), place LIMIT %(k)s
    """

    def ask(text: str, k: int) -> list[int]:
        folded = fold(text)
        rows = connection.execute(question, {"text": folded, "like": folded + "%", "k": k})
        return [place for (place,) in rows]

    return ask


def _tantivy(names: list[str]) -> Ask:
    """The whole name; every word, or but for mistakes, the last one begun; BM25 among them."""
    schema = tantivy.SchemaBuilder()
    schema.add_unsigned_field("place", stored=True)
    schema.add_text_field("whole", tokenizer_name="raw")
    schema.add_text_field("words", tokenizer_name="default")
    built = schema.build()
    index = tantivy.Index(built)
    writer = index.writer(heap_size=64_000_000, num_threads=1)
    for place, name in enumerate(names):
        folded = fold(name) or name
        writer.add_document(tantivy.Document(place=place, whole=folded, words=folded))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()
    should = tantivy.Occur.Should

    def of_word(word: str, is_last: bool) -> list[tantivy.Query]:
        query = tantivy.Query
        found = [query.boost_query(query.term_query(built, "words", word), WORD_BOOST)]
        if is_last:
            begun = query.fuzzy_term_query(built, "words", word, distance=0, prefix=True)
            found.append(query.boost_query(begun, BEGUN_BOOST))
        distance = 0 if len(word) <= LONGEST_SHORT else 1 if len(word) <= LONGEST_MIDDLE else 2
        if distance:
            found.append(query.fuzzy_term_query(built, "words", word, distance, True, is_last))
        return found

    def ask(text: str, k: int) -> list[int]:
        words = fold(text).split()
        if not words:
            return []
        exact = tantivy.Query.term_query(built, "whole", " ".join(words))
        parts = [(should, tantivy.Query.boost_query(exact, EXACT_BOOST))]
        for n, word in enumerate(words):
            parts += [(should, part) for part in of_word(word, n == len(words) - 1)]
        hits = searcher.search(tantivy.Query.boolean_query(parts), k).hits
        return [searcher.doc(address)["place"][0] for _, address in hits]

    return ask


def _rapidfuzz(names: list[str]) -> Ask:
    """The whole name by edit distance, compared with every name."""
    folded = [fold(name) or name for name in names]

    def ask(text: str, k: int) -> list[int]:
        distances = process.cdist([fold(text)], folded, scorer=OSA.distance, workers=1)[0]
        best = np.argpartition(distances, k)[:k]
        return [int(place) for place in best[np.lexsort((best, distances[best]))]]

    return ask


def _sorted(names: list[str]) -> Ask:
    """Names that begin with the text, the shortest first: no mistake is forgiven."""
    folded = [fold(name) or name for name in names]
    by_length = sorted(range(len(names)), key=lambda place: (len(folded[place]), place))

    def ask(text: str, k: int) -> list[int]:
        typed, found = fold(text), []
        for place in by_length:
            if folded[place].startswith(typed):
                found.append(place)
                if len(found) == k:
                    break
        return found

    return ask
