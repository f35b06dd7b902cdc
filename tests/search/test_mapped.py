"""A search index that was mapped from files answers as the one that was built."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.mapped import load_mapped, save_mapped
from search.engine import Document, SearchEngine
from search.mapped import CLASSES

NAMES = [
    "Rocky",
    "Rocky II",
    "The The",
    "Heat",
    "千と千尋の神隠し",
    "Ocean's Eleven",
    "1917",
    "",
    "É",
]
PEOPLE = ["Al Pacino", "Sergio Leone", "Æ"]
GENRES = ["Drama", "Western", "Sci-Fi"]
PLOTS = ["", "robots in space fight robots", "a gang robs a bank in space", "two boxers love"]
TEXTS = [
    "rocky", "roky", "heat", "heta", "the the", "al pacino", "pacinp", "western 1950s", "no drama",
    "like rocky", "robot", "robots space", "1917", "1911", "千と", "ocean", "boxers", "e", "sci",
]  # fmt: skip


def few_of(values):
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


documents = st.builds(
    Document,
    id=st.integers(1, 40),
    name=st.sampled_from(NAMES) | st.text(max_size=12),
    alternative_names=few_of(NAMES),
    people=few_of(PEOPLE),
    characters=few_of(["Tony", "Rocky Balboa"]),
    genres=few_of(GENRES),
    languages=few_of(["English", "French"]),
    year=st.none() | st.integers(1950, 1960),
    plot=st.sampled_from(PLOTS),
    chosen_after=few_of(["boxers", "heat"]).map(lambda texts: tuple((t, 2) for t in texts)),
    is_available=st.booleans(),
)
shelves = st.lists(documents, max_size=12, unique_by=lambda document: document.id)


def mapped(engine):
    """The files are gone at the end, which the mapping outlives."""
    with tempfile.TemporaryDirectory() as folder:
        save_mapped(Path(folder) / "index", engine, CLASSES, {})
        return load_mapped(Path(folder) / "index", CLASSES, {})


@settings(max_examples=60, deadline=None)
@given(shelves, st.lists(st.sampled_from(TEXTS) | st.text(max_size=8), max_size=4), st.booleans())
def test_a_mapped_index_answers_as_the_built_one(shelf, texts, has_space):
    built = SearchEngine.build(shelf)
    if has_space:
        rng = np.random.default_rng(len(shelf))
        built = built.with_space(rng.random((len(shelf), 3), dtype=np.float32))
    loaded = mapped(built)
    count = len(shelf)
    options = {
        "affinity": np.linspace(-1, 1, count, dtype=np.float32),
        "popularity": np.arange(count, dtype=np.float32),
        "allowed": np.arange(count) % 3 != 0,
    }
    for text in (*texts, *TEXTS):
        assert loaded.search(text) == built.search(text)
        assert loaded.search(text, **options) == built.search(text, **options)
        assert loaded.understood(text) == built.understood(text)
    for document in shelf:
        assert loaded.alike(document.id) == built.alike(document.id)


def test_a_similarity_is_given_after_loading():
    shelf = [Document(n, name) for n, name in enumerate(["Rocky", "Heat", "Alien", "Aliens"])]
    built = SearchEngine.build(shelf)

    def similarity(item):
        return np.array([0, 0, 0, 1], dtype=np.float32)

    found = mapped(built).with_similarity(similarity).search("like rocky")
    assert found == built.with_similarity(similarity).search("like rocky")
    assert [hit.id for hit in found.hits] == [3]
    with pytest.raises(Exception, match="cannot be mapped"):
        mapped(built.with_similarity(similarity))
