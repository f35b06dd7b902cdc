"""Which documents match a query, and how good the evidence is: the lower the band, the better.

N documents.
"""

from collections.abc import Callable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from search.index.names import Names
from search.index.postings import Mask, Postings
from search.query import Query, mistakes_allowed

ENOUGH = 10
"""With so many matches as typed, nobody is looking for a mistake."""


class Band(IntEnum):
    """Evidence, best first. Taste may reorder within a band, never across."""

    EXACT = 0
    """The name is what was typed, a leading article and spaces apart."""
    BEGINS = 1
    """The name begins with what was typed."""
    WORDS = 2
    """The name holds every word, in any order; the last may be unfinished."""
    NEAR = 3
    """The name is what was typed but for a mistake or two."""
    BEGINS_NEAR = 4
    """The name begins with what was typed but for a mistake or two."""
    WORDS_NEAR = 5
    """The name holds every word but for mistakes."""
    ABOUT = 6
    """Every word is in the name, or is a person, a genre or the year."""
    ABOUT_NEAR = 7
    """The same but for mistakes."""
    NONE = 255


def bands(query: Query, names: Names, in_names: Postings, about: Postings) -> NDArray[np.uint8]:
    """Return (N,) the band of every document, `Band.NONE` where nothing matches.

    Args:
        query: what was typed.
        names: whole names.
        in_names: the words of names.
        about: the words of names, people, genres and years.
    """
    found = np.full(names.num_documents, Band.NONE, dtype=np.uint8)
    if not query.words:
        return found

    def note(band: Band, mask: Mask) -> None:
        np.minimum(found, np.where(mask, np.uint8(band), np.uint8(Band.NONE)), out=found)

    whole = "".join(query.words)
    note(Band.EXACT, names.equal_to(query.joined) | names.equal_to(whole))
    if query.is_open or len(query.words) > 1:
        note(Band.BEGINS, names.beginning_with(query.joined) | names.beginning_with(whole))
    note(Band.WORDS, _all_words(query, in_names.with_word, in_names.with_prefix))
    note(Band.ABOUT, _all_words(query, about.with_word, about.with_prefix))
    mistakes = query.mistakes_allowed
    if not mistakes or np.count_nonzero(found < Band.ABOUT) >= ENOUGH:
        return found
    note(Band.NEAR, names.near(query.joined, mistakes))
    note(Band.BEGINS_NEAR, names.beginning_near(query.joined, mistakes))
    note(Band.WORDS_NEAR, _all_words_near(query, in_names))
    if np.count_nonzero(found < Band.NONE) < ENOUGH:
        note(Band.ABOUT_NEAR, _all_words_near(query, about))
    return found


def _all_words(
    query: Query, with_word: Callable[[str], Mask], with_prefix: Callable[[str], Mask]
) -> Mask:
    *before, last = query.words
    mask = with_prefix(last) if query.is_open else with_word(last)
    for word in before:
        mask &= with_word(word)
    return mask


def _all_words_near(query: Query, postings: Postings) -> Mask:
    mask = np.ones(postings.num_documents, dtype=bool)
    for place, word in enumerate(query.words):
        is_open = query.is_open and place == len(query.words) - 1
        mask &= postings.with_word_like(word, mistakes_allowed(len(word)), is_open=is_open)
        if not mask.any():
            break
    return mask
