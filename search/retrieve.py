"""Which documents match a query, and how good the evidence is: the lower the band, the better.

N documents.
"""

from enum import IntEnum

import numpy as np

from recommender.arrays import Bool, Int64, UInt8
from search.index.changed import AnyNames, AnyPostings
from search.query import Query, mistakes_in_name, mistakes_in_word

ENOUGH = 10
"""With so many matches nobody is looking for a mistake in single words."""
FEW_LETTERS_LEFT = 4
"""A name that goes on no longer than this is likelier than a mistake in another one."""


class Band(IntEnum):
    """Evidence, best first. Taste may reorder within a band, never across."""

    WRITTEN = 0
    """The name is written so, but for case."""
    EXACT = 1
    """The name is what was typed: a leading article, spaces, marks and ways to number apart."""
    COMPLETES = 2
    """The name begins with what was typed, and a few letters are left."""
    BEGINS = 3
    """The name begins with what was typed."""
    NEAR = 4
    """The name is what was typed but for one mistake."""
    WORDS = 5
    """The name holds every word, in any order; the last may be unfinished."""
    BEGINS_NEAR = 6
    """The name begins with what was typed but for a mistake."""
    NEAR_TWO = 7
    """The name is what was typed but for two mistakes."""
    WORDS_NEAR = 8
    """The name holds every word but for mistakes."""
    ABOUT = 9
    """Every word is in the name, or a person, a character, a genre or the year; or the filters
    understood from the text hold."""
    ABOUT_NEAR = 10
    """Every word is there but for mistakes."""
    NONE = 255


IN_THE_NAME = Band.WORDS
"""Up to here the name holds what was typed, as it was typed."""
MEANT = (Band.WRITTEN, Band.EXACT, Band.COMPLETES, Band.NEAR)
"""What was typed is this name or nearly so."""
MISTAKEN = frozenset({Band.NEAR, Band.NEAR_TWO, Band.BEGINS_NEAR, Band.WORDS_NEAR, Band.ABOUT_NEAR})


def bands(
    query: Query,
    names: AnyNames,
    in_names: AnyPostings,
    about: AnyPostings | None = None,
    *,
    forgives: bool = True,
) -> UInt8:
    """Return (N,) the band of every document, `Band.NONE` where nothing matches.

    Args:
        query: what was typed.
        names: whole names.
        in_names: the words of names.
        about: the words of all that is known of a document.
        forgives: whether mistakes are looked for.
    """
    found = np.full(in_names.num_documents, Band.NONE, dtype=np.uint8)
    _note(found, Band.WRITTEN, names.written(query.text))
    if not query.words:
        return found
    for form in query.forms:
        _note(found, Band.EXACT, names.equal_to(form))
    _note_names(found, query, names, in_names)
    _note(found, Band.WORDS, np.flatnonzero(_all_words(query, in_names)))
    if forgives:
        _note_mistakes(found, query, names, in_names)
    if about is not None:
        _note(found, Band.ABOUT, np.flatnonzero(_all_words(query, about)))
        if forgives and _are_few(found):
            _note(found, Band.ABOUT_NEAR, np.flatnonzero(_all_words_near(query, about)))
    return found


def _are_few(found: UInt8) -> bool:
    return bool(np.count_nonzero(found != Band.NONE) < ENOUGH)


def _note(found: UInt8, band: Band, documents: Int64) -> None:
    """Give the band to documents that have none better."""
    found[documents] = np.minimum(found[documents], np.uint8(band))


def _note_names(found: UInt8, query: Query, names: AnyNames, in_names: AnyPostings) -> None:
    """Note names that begin with what was typed; with another article, or none, as holding it.

    Where a blank was typed after the last word, it must end there: "the " begins no "Them!".
    """
    typed, *others = query.forms
    documents, left = names.beginning_with(typed)
    if not query.is_open:
        ends = in_names.with_word(query.words[-1])[documents]
        _note(found, Band.BEGINS_NEAR, documents[~ends])
        documents, left = documents[ends], left[ends]
    _note(found, Band.BEGINS, documents)
    if mistakes_in_name(len(typed)):
        _note(found, Band.COMPLETES, documents[left <= FEW_LETTERS_LEFT])
    for form in others:
        _note(found, Band.WORDS, names.beginning_with(form)[0])


def _note_mistakes(found: UInt8, query: Query, names: AnyNames, in_names: AnyPostings) -> None:
    """Note names that are one mistake away; where few match, those further away too."""
    forms = [form for form in query.forms[:2] if mistakes_in_name(len(form))]
    for form in forms:
        _note(found, Band.NEAR, names.near(form, 1))
    if not _are_few(found):
        return
    for form in forms:
        if mistakes_in_name(len(form)) > 1:
            _note(found, Band.NEAR_TWO, names.near(form, 2))
        _note(found, Band.BEGINS_NEAR, names.beginning_near(form))
    if _are_few(found):
        _note(found, Band.WORDS_NEAR, np.flatnonzero(_all_words_near(query, in_names)))


def _all_words(query: Query, postings: AnyPostings) -> Bool:
    """Return (N,) True where every word is held, two that follow each other also as one."""
    masks = [_holding(query, place, postings, mistakes=False) for place in range(len(query.words))]
    for place in range(len(masks) - 1):
        joined = query.words[place] + query.words[place + 1]
        if joined in postings:
            mask = postings.with_word(joined)
            masks[place], masks[place + 1] = masks[place] | mask, masks[place + 1] | mask
    held: Bool = np.logical_and.reduce(masks)
    return held


def _all_words_near(query: Query, postings: AnyPostings) -> Bool:
    """Return (N,) True where every word is held, those that no document holds but for mistakes."""
    held = np.ones(postings.num_documents, dtype=bool)
    for place in range(len(query.words)):
        held &= _holding(query, place, postings, mistakes=True)
        if not held.any():
            break
    return held


def _holding(query: Query, place: int, postings: AnyPostings, *, mistakes: bool) -> Bool:
    """Return (N,) True where the word at a place of the query is held, the last one begun."""
    word, number = query.words[place], query.in_digits[place]
    is_open = query.is_open and place == len(query.words) - 1
    find = postings.with_prefix if is_open else postings.with_word
    mask = find(word)
    if number != word:
        mask = mask | find(number)
    if not mistakes or mask.any():
        return mask
    return postings.with_word_like(word, mistakes_in_word(len(word)), is_open=is_open)
