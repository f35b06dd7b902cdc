"""The classes that a search index is made of, for `recommender.mapped`."""

from recommender.retrieval.vector_index import VectorIndex
from search.engine import SearchEngine, _Choices
from search.index.labels import Labels
from search.index.meaning import Meaning
from search.index.names import Names
from search.index.near import NearStrings
from search.index.postings import Postings
from search.index.strings import Groups, SortedStrings, Strings
from search.passages import Passages
from search.rerank import Weights
from search.understand import Facts, Understanding

CLASSES: tuple[type, ...] = (
    SearchEngine, _Choices, Names, NearStrings, Postings, Labels, Facts, Understanding, Meaning,
    Passages, VectorIndex, Strings, SortedStrings, Groups, Weights,
)  # fmt: skip
"""An engine with functions of its own (`SearchEngine.with_similarity`, `with_embedder`) cannot be
mapped: give it them after it was loaded."""
