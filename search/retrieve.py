"""Which documents match a query, and how good the evidence is: the lower the band, the better.

N documents.
"""

from collections.abc import Sequence
from enum import IntEnum
from functools import cached_property

import numpy as np

from recommender.arrays import Bool, Int64, UInt8
from search.index.changed import AnyLabels, AnyNames, AnyPostings
from search.query import Query, mistakes_in_name, mistakes_in_word

ENOUGH = 10
"""With so many matches nobody is looking for a mistake in single words."""
FEW_LETTERS_LEFT = 4
"""A name that goes on no longer than this is likelier than a mistake in another one."""

SHORTEST_COMPLETED = 4
"""Letters; fewer begin too much."""
TOO_SHORT_WITHOUT_ARTICLE = 3
"""Letters that say too little to be mistaken once an article was left out."""
FIRST_AS_TYPED, FIRST_MISTAKEN = 7, 3
"""Among the first ten: so many names that hold the text as typed, so many a mistake away; or so
many documents that filters chose, and so many near in meaning."""
FEW_LETTERS, MANY_BEGUN_BY_FEW_LETTERS, MANY_BEGUN = 4, 25, 12
"""A text of few letters is likely to go on where more than 25 names do, a longer one from 12."""


class Band(IntEnum):
    """Evidence, best first. Taste may reorder within a band, never across.

    What holds the words as typed stands before what holds them by a forgiven mistake.
    """

    WRITTEN = 0
    """The name is written so, but for case."""
    EXACT = 1
    """The name is what was typed: a leading article, spaces, marks and ways to number apart."""
    KNOWN_FOR = 2
    """What was typed is a person or a genre, and this is one of its few most liked titles."""
    COMPLETES = 3
    """The name begins with what was typed, and a few letters are left."""
    BEGINS = 4
    """The name begins with what was typed."""
    WORDS = 5
    """The name holds every word, in any order; the last may be unfinished."""
    ABOUT = 6
    """A person, a character, a genre or the year holds every word; or the filters understood from
    the text hold."""
    NEAR = 7
    """The name is what was typed but for one mistake; or what was typed are its initials."""
    ABOUT_BEGUN = 8
    """As `ABOUT`, but the last word is unfinished; or a name holds the text, behind a few that
    are a mistake away (`make_room_for_mistakes`)."""
    BEGINS_NEAR = 9
    """The name begins with what was typed but for a mistake."""
    SCATTERED = 10
    """Every word is in the name, a person, a character, a genre or the year; in several of them.
    Not where one person, character or genre holds them all: then they belong together. Or a
    sentence of the plot says nearly what was typed, by a text embedder."""
    NEAR_TWO = 11
    """The name is what was typed but for two mistakes."""
    FITS = 12
    """All filters understood from the text hold; the words beside them are in no name. Or it is one
    of the few nearest in meaning to a whole text, whatever it holds (`make_room_for_meaning`)."""
    FITS_MOST = 13
    """Some of the filters hold; those for which more do come first."""
    WORDS_NEAR = 14
    """The name holds every word but for mistakes."""
    ABOUT_NEAR = 15
    """Every word is there but for mistakes."""
    PINNED = 16
    """Somebody put it where it stands, whatever it holds; no search finds this band."""
    NONE = 255


IN_THE_NAME = Band.WORDS
"""Up to here the name holds what was typed, as it was typed."""
MEANT = (Band.WRITTEN, Band.EXACT, Band.COMPLETES, Band.NEAR)
"""What was typed is this name or nearly so."""
_AS_TYPED = np.zeros(256, dtype=bool)
_AS_TYPED[[*range(Band.ABOUT + 1), Band.ABOUT_BEGUN, Band.SCATTERED, Band.FITS, Band.FITS_MOST]] = (
    True
)

_TIERS = np.full(256, 2, dtype=np.uint8)
_TIERS[_AS_TYPED] = 0
_TIERS[[Band.FITS_MOST, Band.NONE]] = 1, Band.NONE


class LabelMatches:
    """Which people, characters or genres hold every word of a text; each question is asked once."""

    def __init__(self, query: Query, labels: AnyLabels) -> None:
        self.query, self.labels = query, labels

    @cached_property
    def whole(self) -> Bool:
        """(L,) True at labels that hold every word whole."""
        if not len(self.labels):
            return np.zeros(0, dtype=bool)
        return holds_all(self.query, self.labels.in_names, is_open=False)

    @cached_property
    def begun(self) -> Bool:
        """(L,) True at labels that hold every word, the last one perhaps unfinished."""
        if not self.query.is_open or not len(self.labels):
            return self.whole
        return holds_all(self.query, self.labels.in_names)


def names_it(found: UInt8) -> bool:
    """Return whether some name is the text, holds it as typed, or is one mistake away."""
    return bool(found.min(initial=Band.NONE) <= IN_THE_NAME or (found == Band.NEAR).any())


def may_name_it(found: UInt8) -> bool:
    """Return whether some name as a whole, or its beginning, is the text but for mistakes."""
    return bool(np.isin(found, (Band.NEAR, Band.BEGINS_NEAR, Band.NEAR_TWO)).any())


def is_as_typed(found: UInt8) -> bool:
    """Return whether something holds the words as typed, the last one perhaps unfinished."""
    return bool(found.min(initial=Band.NONE) <= Band.ABOUT or _AS_TYPED[found].any())


def tiers(found: UInt8) -> UInt8:
    """Return (N,) what bands are where matches are sorted otherwise than by them.

    What holds the words as typed and all filters comes first (0), then what most filters hold for
    (1), then what holds the words by a mistake (2); `Band.NONE` stays.
    """
    return _TIERS[found]


def bands(
    query: Query,
    names: AnyNames,
    in_names: AnyPostings,
    about: AnyPostings,
    labels: Sequence[LabelMatches],
    *,
    forgives: bool = True,
) -> UInt8:
    """Return (N,) the band of every document, `Band.NONE` where nothing matches.

    Args:
        query: what was typed.
        names: whole names.
        in_names: the words of names.
        about: the words of all that is known of a document.
        labels: people, characters and genres.
        forgives: whether mistakes are looked for.
    """
    found = np.full(in_names.num_documents, Band.NONE, dtype=np.uint8)
    _note(found, Band.WRITTEN, names.written(query.text))
    if not query.words:
        return found
    for form in query.forms:
        _note(found, Band.EXACT, names.equal_to(form))
    _note_names(found, query, names, in_names)
    _note(found, Band.WORDS, np.flatnonzero(holds_all(query, in_names)))
    if forgives:
        _note_mistakes(found, query, names, in_names)
    _note_about(found, query, about, labels, forgives=forgives)
    if forgives:
        _note_initials(found, query, names)
    return found


def _note_initials(found: UInt8, query: Query, names: AnyNames) -> None:
    """Note names whose words begin with the letters of the only word, where nothing holds it."""
    if len(query.words) == 1 and found.min(initial=Band.NONE) > Band.ABOUT:
        _note(found, Band.NEAR, names.with_initials(query.words[0]))


def _note_about(
    found: UInt8,
    query: Query,
    about: AnyPostings,
    labels: Sequence[LabelMatches],
    *,
    forgives: bool,
) -> None:
    """Note documents whose people, characters, genres or year hold every word."""
    held, is_one_name = holds_all(query, about), False
    if len(query.words) == 1:
        whole = holds_all(query, about, is_open=False)
        _note(found, Band.ABOUT, np.flatnonzero(whole))
        _note(found, Band.ABOUT_BEGUN, np.flatnonzero(held))
    elif held.any():
        for each in labels:
            for band, mask in ((Band.ABOUT, each.whole), (Band.ABOUT_BEGUN, each.begun)):
                _note(found, band, each.labels.documents_of(np.flatnonzero(mask)))
        is_one_name = any(each.whole.any() for each in labels)
        if not is_one_name:
            _note(found, Band.SCATTERED, np.flatnonzero(held))
    if forgives and _are_few(found) and not is_one_name:
        _note(found, Band.ABOUT_NEAR, np.flatnonzero(_all_words_near(query, about)))


def label_ranks(matches: LabelMatches, *, forgives: bool) -> UInt8:
    """Return (L,) how well each label matches, lower is better, `Band.NONE` where it does not.

    A word counts the same wherever in a label it is: a surname as much as a first name.

    Args:
        matches: people or genres, and what was typed.
        forgives: whether mistakes are looked for where nothing matches without.
    """
    query, labels = matches.query, matches.labels
    found = np.full(len(labels), Band.NONE, dtype=np.uint8)
    _note(found, Band.ABOUT_BEGUN, labels.names.beginning_with(query.forms[0])[0])
    found[matches.begun] = Band.ABOUT_BEGUN
    found[matches.whole] = Band.ABOUT
    for form in query.forms:
        _note(found, Band.EXACT, labels.names.equal_to(form))
    if forgives and found.min(initial=Band.NONE) == Band.NONE:
        _note_mistakes(found, query, labels.names, labels.in_names)
    return found


def has_room_for_mistakes(query: Query, found: UInt8) -> bool:
    """Return whether a few names a mistake away may stand among the first ten.

    Not where a person or a genre was typed, nor where so many names begin with the text that it
    is likely to go on.
    """
    begun = np.count_nonzero(found <= Band.BEGINS)
    most = MANY_BEGUN_BY_FEW_LETTERS if len(query.forms[0]) <= FEW_LETTERS else MANY_BEGUN
    return bool(begun <= most and not (found == Band.KNOWN_FOR).any())


def make_room_for_mistakes(found: UInt8, first: Int64, near: Int64) -> None:
    """Let a few names that the text is one mistake away from stand among the first ten.

    Other names that hold the text as typed come behind them, but for the first. What people and
    genres hold stays ahead.

    Args:
        found: (N,) the bands, changed in place.
        first: the first documents that hold the text as typed, best first.
        near: those one mistake away, best first.
    """
    later = (found >= Band.COMPLETES) & (found <= Band.WORDS)
    later[first[:FIRST_AS_TYPED]] = False
    found[later] = Band.ABOUT_BEGUN
    found[near[FIRST_MISTAKEN:]] = Band.ABOUT_BEGUN


def make_room_for_meaning(found: UInt8, first: Int64, near: Int64) -> None:
    """Let a few documents near in meaning stand behind the first that filters chose.

    What else the filters chose comes behind them.

    Args:
        found: (N,) the bands, changed in place.
        first: the first documents that filters chose, best first.
        near: those nearest in meaning to the words beside the filters, best first.
    """
    kept = first[:FIRST_AS_TYPED]
    near = near[~np.isin(near, kept)][:FIRST_MISTAKEN]
    found[found == Band.FITS] = Band.FITS_MOST
    found[kept] = Band.FITS
    found[near] = Band.FITS


def words_near(query: Query, in_names: AnyPostings, found: UInt8) -> Int64:
    """Return the documents begun but for a mistake whose names hold every word but for mistakes.

    Of what begins like `alein` these are names with the word Alien.
    """
    begun = np.flatnonzero(found == Band.BEGINS_NEAR)
    return begun[_all_words_near(query, in_names)[begun]] if len(begun) else begun


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
    if len(typed) >= SHORTEST_COMPLETED:
        _note(found, Band.COMPLETES, documents[left <= FEW_LETTERS_LEFT])
    for form in others:
        _note(found, Band.WORDS, names.beginning_with(form)[0])


def _note_mistakes(found: UInt8, query: Query, names: AnyNames, in_names: AnyPostings) -> None:
    """Note names that are one mistake away; where few match, those further away too."""
    typed = query.forms[0]
    forms = [
        form
        for form in query.forms[:2]
        if mistakes_in_name(form) and (form == typed or len(form) > TOO_SHORT_WITHOUT_ARTICLE)
    ]
    for form in forms:
        _note(found, Band.NEAR, names.near(form, 1))
    if not _are_few(found):
        return
    for form in forms:
        if mistakes_in_name(form) > 1:
            _note(found, Band.NEAR_TWO, names.near(form, 2))
        _note(found, Band.BEGINS_NEAR, names.beginning_near(form))
    if _are_few(found):
        _note(found, Band.WORDS_NEAR, np.flatnonzero(_all_words_near(query, in_names)))


def holds_all(query: Query, postings: AnyPostings, *, is_open: bool = True) -> Bool:
    """Return (N,) True where every word is held, two that follow each other also as one.

    Args:
        query: what was typed.
        postings: the words of documents.
        is_open: whether the last word may be unfinished, if it is open in the query.
    """
    masks = [
        _holding(query, place, postings, mistakes=False, is_open=is_open)
        for place in range(len(query.words))
    ]
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


def _holding(
    query: Query, place: int, postings: AnyPostings, *, mistakes: bool, is_open: bool = True
) -> Bool:
    """Return (N,) True where the word at a place of the query is held, the last one begun."""
    word, number = query.words[place], query.in_digits[place]
    is_open = is_open and query.is_open and place == len(query.words) - 1
    find = postings.with_prefix if is_open else postings.with_word
    mask = find(word)
    if number != word:
        mask = mask | find(number)
    if not mistakes or mask.any():
        return mask
    return postings.with_word_like(word, mistakes_in_word(word), is_open=is_open)
