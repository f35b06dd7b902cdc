"""A text is near to what says the same in other words, where an embedder says so."""

import numpy as np
import pytest

from search.engine import Document, SearchEngine
from search.passages import MOST_SENTENCES, Passages, passages_of
from search.retrieve import Band

THEMES = ("sea", "law", "space", "none of them")
WORDS = {
    "shark": "sea", "beach": "sea", "swimmers": "sea", "ocean": "sea", "fish": "sea",
    "judge": "law", "trial": "law", "jury": "law", "lawyer": "law",
    "rocket": "space", "astronaut": "space", "planet": "space",
}  # fmt: skip
PLOTS = {
    "Jaws": "A shark kills swimmers. A quiet town has a beach.",
    "Verdict": "A lawyer drinks. A jury decides.",
    "Apollo": "A rocket fails.",
    "Nobody": "",
}
FILMS = [
    Document(n, name, genres=("Drama",), plot=plot) for n, (name, plot) in enumerate(PLOTS.items())
]


class Embedder:
    """Texts are how often they speak of each theme; counts what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, text):
        self.asked.append(text)
        return vector_of(text)


def vector_of(text):
    counts = [0.0] * len(THEMES)
    for word in text.lower().replace(".", "").split():
        if word in WORDS:
            counts[THEMES.index(WORDS[word])] += 1
    counts[-1] = float(not any(counts))
    return np.array(counts, dtype=np.float32) / np.float32(np.linalg.norm(counts))


def engine_of(films, embedder):
    passages = [passages_of(f.names, f.genres, f.people, f.plot) for f in films]
    vectors = np.stack([vector_of(text) for of_film in passages for text in of_film])
    engine = SearchEngine.build(films).with_passages(Passages(vectors, list(map(len, passages))))
    return engine.with_embedder(embedder)


@pytest.fixture
def embedder():
    return Embedder()


@pytest.fixture
def engine(embedder):
    return engine_of(FILMS, embedder)


def test_who_and_what_it_is_comes_first_then_its_sentences():
    assert passages_of(["Alien", "Alien 1"], ["Horror"], ["A", "B"], "One. Two!  三。四。") == [
        "Alien, Alien 1. Horror. A, B", "One.", "Two!", "三。", "四。",
    ]  # fmt: skip
    assert passages_of(["Alien"], [], [], "") == ["Alien"]
    assert len(passages_of(["Alien"], [], [], "Again. " * 50)) == MOST_SENTENCES + 1


def test_a_document_is_as_like_as_its_nearest_passage():
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)
    passages = Passages(vectors, [2, 0, 1])
    found = passages.likeness(np.array([0, 1], dtype=np.float32), 4)
    np.testing.assert_allclose(found, [1, 0, 0.8, 0])
    assert not passages.likeness(np.array([-1, -1], dtype=np.float32), 3).any()


def test_other_words_for_a_plot_find_it_first(engine, embedder):
    hits = engine.search("fish in the ocean", is_submitted=True).hits
    assert [(hit.id, hit.band) for hit in hits] == [(0, Band.SCATTERED)]
    assert embedder.asked == ["fish in the ocean"]
    without = SearchEngine.build(FILMS).search("fish in the ocean", is_submitted=True)
    assert (without.hits, without.near) == ((), ())


def test_what_is_less_like_it_is_near(engine):
    """A text of three themes is no plot's own, and near to all."""
    result = engine.search("an astronaut a judge and a fish", is_submitted=True)
    assert result.hits == ()
    assert {hit.id for hit in result.near} == {0, 1, 2}


@pytest.mark.parametrize(
    ("text", "is_submitted"),
    [("fish in the ocean", False), ("jaws", True), ("jaw", True), ("   ", True)],
)
def test_nothing_is_embedded_on_a_keystroke_nor_where_a_name_holds_the_text(
    engine, embedder, text, is_submitted
):
    engine.search(text, is_submitted=is_submitted)
    assert embedder.asked == []


def test_what_may_not_be_shown_is_not_found_by_what_it_says(engine):
    allowed = np.array([False, True, True, True])
    found = engine.search("fish in the ocean", allowed=allowed, is_submitted=True)
    assert 0 not in {hit.id for hit in (*found.hits, *found.near)}
    gone = [Document(0, "Jaws", plot=PLOTS["Jaws"], is_available=False), *FILMS[1:]]
    found = engine_of(gone, Embedder()).search("fish in the ocean", is_submitted=True)
    assert 0 not in {hit.id for hit in (*found.hits, *found.near)}


def test_words_beside_filters_order_by_meaning(embedder):
    films = [
        Document(n, f"Film {n}", genres=("Drama",), plot=plot)
        for n, plot in enumerate(["A judge waits. " * 2, "A rocket fails.", "A shark and a trial."])
    ]
    result = engine_of(films, embedder).search("drama with an astronaut", is_submitted=True)
    assert result.hits[0].id == 1


def test_a_changed_document_keeps_its_passages_and_an_added_one_has_none(engine):
    changed = engine.with_changed([Document(0, "Jaws 1", genres=("Drama",)), Document(9, "New")])
    result = changed.search("fish in the ocean", is_submitted=True)
    assert [hit.id for hit in result.hits] == [0]


def about_war(n):
    return Document(n, f"Film {n}", genres=("War",), plot="Soldiers march on.")


def test_a_genre_in_a_sentence_of_a_plot_hides_no_film_of_another():
    """The text speaks of a war, and the film meant is no war film: it is among the first ten."""
    meant = Document(50, "Casa", genres=("Drama",), plot="A barman hides letters in a piano.")
    engine = SearchEngine.build([*map(about_war, range(20)), meant])
    text = "letters hidden by a barman in a piano while the war goes on"
    found = [hit.id for hit in engine.search(text, is_submitted=True).hits]
    assert 7 <= found.index(50) < 10
    assert len(found) == 21
    assert 50 not in {hit.id for hit in engine.search(text).hits}


def test_what_must_not_be_is_never_offered_for_its_meaning():
    horror = Document(50, "Casa", genres=("Horror",), plot="A barman hides letters in a piano.")
    engine = SearchEngine.build([*map(about_war, range(20)), horror])
    text = "no horror but letters hidden by a barman in a piano"
    assert 50 not in {hit.id for hit in engine.search(text, is_submitted=True).hits}
