"""The search engine: an immutable index over documents, and one question it answers.

N documents, in the order of `document_ids`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import repeat, zip_longest

import numpy as np

from recommender.arrays import Bool, Float32, Float64, Int64, UInt8
from search.errors import DocumentOrderError
from search.facets import Facets
from search.index.changed import (
    AnyLabels,
    AnyNames,
    AnyPostings,
    AnyStrings,
    ChangedLabels,
    ChangedNames,
    ChangedPostings,
    ChangedStrings,
    Places,
)
from search.index.known import (
    SURNAME,
    best_known,
    by_billing,
    commonest,
    fame,
    most_liked,
    named_last,
)
from search.index.labels import Labels
from search.index.meaning import Meaning
from search.index.names import Names
from search.index.postings import Postings
from search.index.strings import Strings, sorted_groups
from search.passages import Passages
from search.query import Filter, FilterKind, Query, mistakes_in_word
from search.rerank import DEFAULT, Preference, Weights, order, order_by
from search.retrieve import (
    ENOUGH,
    FIRST_AS_TYPED,
    MEANT,
    Band,
    LabelMatches,
    bands,
    has_room_for_mistakes,
    holds_all,
    is_as_typed,
    label_ranks,
    make_room_for_meaning,
    make_room_for_mistakes,
    may_name_it,
    names_it,
    tiers,
    words_near,
)
from search.text import ARTICLES, fold, words
from search.understand import Facts, Reading, Understanding
from search.wording import EXTRA_WORDS, FILLERS, FILM_WORDS, SERIES_WORDS

GROUP_SIZE = 5
"""Most people, and most genres, in an answer."""
KNOWN_FOR_SIZE = 3
"""So many titles of a person or genre that was typed stand before names that begin so."""
LEAST_CREDITS = 6
"""Titles that make a person known enough for that."""
SHORTEST_SURNAME = 3
"""Letters; fewer begin too much to be a surname."""
LEAST_FAME = 0.05
"""Share of the best known one's fame that others of a surname need."""
NOT_BETTER_KNOWN = (Band.WRITTEN, Band.EXACT, Band.NONE)
NEAR_SIZE = 12
"""Most documents near in meaning."""
ALIKE_SIZE = 10 * NEAR_SIZE
"""So many of the nearest are considered."""
NUMBER_BITS = 40
"""Of a document's number, below the length of its name."""
IN_A_NAME, IN_A_GENRE, IN_A_PLOT, IN_A_CAST = 2.0, 2.0, 1.0, 1.0
"""How often a word there counts for the meaning of a document."""

LONGEST_REST = 5
"""Words beside filters that some title may hold; more are a description."""
UNLIKE = 0.3
"""Passages less like a text than this say nothing of it."""
SAME_IN_OTHER_WORDS, MOST_SAID = 0.8, 3
"""A passage so like a text says the same; so many documents match by that."""
ALWAYS_MEANT = frozenset({FilterKind.AGE, FilterKind.LIKE})
"""Filters that are never read out of a plot by mistake."""
MOST_WORDS = 16
"""So many words of a description count."""
Matches = tuple[LabelMatches, LabelMatches, LabelMatches]
"""Of people, genres and characters."""
DROPPED = FILM_WORDS | SERIES_WORDS | EXTRA_WORDS


@dataclass(frozen=True)
class Document:
    """What search knows of a title.

    Attributes:
        id: the title's.
        name: as shown.
        alternative_names: other names it is known by, in any script.
        people: who made it and who plays in it, the most important first.
        characters: who they play.
        genres: as shown.
        directors: those of `people` who directed it.
        countries: it is from, as shown, the foremost first.
        is_series: False for a film.
        age: from which it may be watched.
        minutes: how long it is.
        languages: spoken in it, as shown, the foremost first.
        year: of first release.
        plot: a few sentences.
        chosen_after: queries after which viewers chose it, each with how often.
        is_available: False for a title that is known and not to be had here.
    """

    id: int
    name: str
    alternative_names: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    is_series: bool = False
    age: int | None = None
    minutes: int | None = None
    languages: tuple[str, ...] = ()
    year: int | None = None
    plot: str = ""
    chosen_after: tuple[tuple[str, int], ...] = ()
    is_available: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.alternative_names)


@dataclass(frozen=True)
class Hit:
    """A document that matches, and how good the evidence is.

    Attributes:
        id: the document's.
        band: the evidence, which no taste outweighs.
        parts: what orders it within the band, by name; they add up to the score.
    """

    id: int
    band: Band
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SearchResult:
    """What a text means.

    Attributes:
        hits: documents that match, best first.
        corrected: the text that was meant, where something was typed by mistake.
        filters: what was understood of the text besides words to match.
        people: names that match, best first.
        genres: names that match, best first.
        near: documents near in meaning, best first; filled where few match.
        unavailable: names that match of documents that are not to be had.
        total: how many documents are listed, of which `hits` are a part; those ahead count.
        begin: the position of the first hit among them.
        matching: (M,) the numbers of all that match, listed or not.
    """

    hits: tuple[Hit, ...] = ()
    corrected: str | None = None
    filters: tuple[Filter, ...] = ()
    people: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    near: tuple[Hit, ...] = ()
    unavailable: tuple[str, ...] = ()
    total: int = 0
    begin: int = 0
    matching: Int64 = field(
        default_factory=lambda: np.empty(0, dtype=np.int64), repr=False, compare=False
    )


@dataclass(frozen=True)
class Part:
    """Which of the documents that match are hits.

    Attributes:
        listed: (N,) False for documents that match and are not wanted among the hits; what was
            meant, the people and the genres are as without it. None lists all.
        keys: (N,) what hits are sorted by, the greatest first; what holds the words as typed still
            stands before what holds them by a mistake. None sorts by how they match.
        begin: the position of the first hit, from 0; past the end, that of the last k.
        num_ahead: documents that are put among the first k by the caller, and are not listed: hits
            leave room for them there. Fewer than k.
    """

    listed: Bool | None = None
    keys: Float64 | None = None
    begin: int = 0
    num_ahead: int = 0


WHOLE = Part()


class SearchEngine:
    """Answers queries over a fixed set of documents; threads may share it."""

    def __init__(self, documents: list[Document], weights: Weights = DEFAULT) -> None:
        self.document_ids = np.array([d.id for d in documents], dtype=np.int64)  # (N,)
        self._weights = weights
        self._document_names: AnyStrings = Strings(document.name for document in documents)
        self._is_available = np.array([d.is_available for d in documents], dtype=bool)  # (N,)
        self._unavailable = np.flatnonzero(~self._is_available)
        self._tie_break = _tie_break(documents, np.arange(len(documents)))  # (N,)
        self._names: AnyNames = Names(document.names for document in documents)
        folded = _Folded()
        self._in_names: AnyPostings = _words_in_names(documents, folded)
        self._about: AnyPostings = _words_about(documents, folded)
        self._people: AnyLabels = Labels((d.people for d in documents), by_billing)
        self._characters: AnyLabels = Labels(document.characters for document in documents)
        self._genres: AnyLabels = Labels(document.genres for document in documents)
        self._languages: AnyLabels = Labels((d.languages for d in documents), by_billing)
        self._countries: AnyLabels = Labels((d.countries for d in documents), by_billing)
        self._directors: AnyLabels = Labels(document.directors for document in documents)
        self._numbers = _numbers(documents)
        self._understanding = self._reader()
        self._meaning = Meaning(_weighed_words(document, folded) for document in documents)
        self._similarity: Callable[[int], Float32 | None] | None = None
        self._passages: Passages | None = None
        self._embed: Callable[[str], Float32] | None = None
        self._choices = _Choices(documents)

    @classmethod
    def build(cls, documents: Iterable[Document]) -> "SearchEngine":
        """Index the documents, by id. Not for the request path."""
        return cls(sorted(documents, key=lambda document: document.id))

    def with_space(self, vectors: Float32) -> "SearchEngine":
        """Return the same engine with a space of items, in which what people like is near.

        Args:
            vectors: (N, D) of the documents, zeros where unknown.
        """
        engine = copy(self)
        engine._meaning = self._meaning.with_space(vectors)
        return engine

    def with_similarity(self, similarity: Callable[[int], Float32 | None]) -> "SearchEngine":
        """Return the same engine that knows otherwise than by meaning what is like a document.

        Args:
            similarity: takes a document's number and returns (N,), or None where it knows nothing.
        """
        engine = copy(self)
        engine._similarity = similarity
        return engine

    def with_passages(self, passages: Passages) -> "SearchEngine":
        """Return the same engine with vectors of the documents' passages."""
        engine = copy(self)
        engine._passages = passages
        return engine

    def with_embedder(self, embed: Callable[[str], Float32]) -> "SearchEngine":
        """Return the same engine with what makes a text's vector, to be compared with passages.

        Args:
            embed: takes a text and returns (D,) of length 1. It is asked of submitted searches
                alone, where no name holds the text.
        """
        engine = copy(self)
        engine._embed = embed
        return engine

    def with_changed(self, documents: Iterable[Document]) -> "SearchEngine":
        """Return an engine that knows these documents as they are now, and the others as before.

        Found is what an index built anew finds, but for what only all documents together say:
        near in meaning, and chosen after which text, is what was. Takes as long as indexing these
        documents alone.

        Args:
            documents: changed, or added with ids above all others.

        Raises:
            DocumentOrderError: an added document's id is not above all others.
        """
        changed = sorted(documents, key=lambda document: document.id)
        ids, before = np.array([d.id for d in changed], dtype=np.int64), self.document_ids
        added = ids[~np.isin(ids, before)]
        if len(added) and len(before) and added[0] <= before[-1]:
            raise DocumentOrderError(f"document {added[0]} is new, and others are behind it")
        engine = copy(self)
        engine.document_ids = np.concatenate([before, added])
        places = np.searchsorted(engine.document_ids, ids)
        at = Places.of(places, len(engine.document_ids))
        engine._is_available = at.replaced(self._is_available, [d.is_available for d in changed])
        engine._unavailable = np.flatnonzero(~engine._is_available)
        engine._tie_break = at.replaced(self._tie_break, _tie_break(changed, places))
        engine._numbers = {
            name: at.replaced(self._numbers[name], values)
            for name, values in _numbers(changed).items()
        }
        names = dict(zip(places.tolist(), (d.name for d in changed), strict=True))
        engine._document_names = ChangedStrings(self._document_names, names)
        folded = _Folded()
        engine._names = ChangedNames(self._names, Names(d.names for d in changed), at)
        engine._in_names = ChangedPostings(self._in_names, _words_in_names(changed, folded), at)
        engine._about = ChangedPostings(self._about, _words_about(changed, folded), at)
        engine._people = ChangedLabels(self._people, (d.people for d in changed), at, by_billing)
        engine._characters = ChangedLabels(self._characters, (d.characters for d in changed), at)
        engine._genres = ChangedLabels(self._genres, (d.genres for d in changed), at)
        engine._languages = ChangedLabels(
            self._languages, (d.languages for d in changed), at, by_billing
        )
        engine._countries = ChangedLabels(
            self._countries, (d.countries for d in changed), at, by_billing
        )
        engine._directors = ChangedLabels(self._directors, (d.directors for d in changed), at)
        engine._understanding = engine._reader()
        engine._choices = self._choices.among(len(engine.document_ids))
        return engine

    def _reader(self) -> Understanding:
        facts = Facts(
            self._genres,
            self._languages,
            self._countries,
            self._people,
            self._directors,
            self._numbers["year"],
            self._numbers["minutes"],
            self._numbers["age"],
            self._numbers["is_series"] > 0,
            self._document_names,
            self._names,
            self._tie_break,
        )
        return Understanding(facts)

    @property
    def facets(self) -> Facets:
        """What matches can be narrowed by."""
        numbers = self._numbers
        return Facets(
            self._genres,
            self._languages,
            numbers["year"],
            numbers["minutes"],
            numbers["age"],
            numbers["is_series"] > 0,
        )

    def understood(self, text: str) -> tuple[Filter, ...]:
        """Return what a text names besides words to match.

        Raises:
            QueryTooLongError: the text is longer than any title.
        """
        return self._understanding.read(Query.parse(text)).filters

    def search(
        self,
        text: str,
        k: int = 40,
        *,
        affinity: Float32 | None = None,
        popularity: Float32 | None = None,
        allowed: Bool | None = None,
        variants: Sequence[str] = (),
        part: Part = WHOLE,
        is_submitted: bool = False,
    ) -> SearchResult:
        """Return the documents that match best, and what else the text means.

        An exact name stands first, always: taste, popularity and choices order documents within
        one band of evidence only.

        Args:
            text: as typed so far.
            k: how many at most.
            affinity: (N,) how well each document fits the viewer.
            popularity: (N,) how many people like it.
            allowed: (N,) False for documents that this viewer may not find; None allows all.
            variants: texts that mean the same, and count as much as the one typed.
            part: which of the matches are hits, in which order.
            is_submitted: whether the text is whole, so that it is worth embedding.

        Raises:
            QueryTooLongError: the text is longer than any title.
            ArrayShapeError: an array does not fit the documents.
        """
        query, matches, found, reading = self._matched(text, variants, popularity)
        alike = self._alike(reading)
        filters = self._filter(found, reading, alike, query)
        unavailable = self._take_out(found, allowed)
        understood = reading if filters else None
        passages = self._note_passages(query, understood, found, allowed) if is_submitted else None
        preference = self._preference(
            matches[0], understood, found, affinity, popularity, alike, passages
        )
        if understood is not None and is_submitted:
            self._make_room_for_meaning(understood, found, preference, allowed, passages)
        offered = _both(allowed, part.listed)
        near = self._near(query, understood, found, unavailable, offered, passages)
        self._note_known_for(matches[0], found, popularity)
        self._make_room(query, found, preference)
        hits, total, begin = self._hits(found, preference, k, part)
        return SearchResult(
            hits,
            self._correction(query, found, preference),
            filters,
            self._group(matches[0], found, popularity),
            self._group(matches[1], found, popularity),
            near,
            tuple(self._document_names[n] for n in unavailable),
            total,
            begin,
            np.flatnonzero(found != Band.NONE),
        )

    def _read(
        self, query: Query, variants: Sequence[str], found: UInt8, popularity: Float32 | None
    ) -> Reading:
        """Return what is understood; what holds a variant, without mistakes, is found too.

        No variant is looked for where a name is the text, or enough names hold it.

        Args:
            query: what was typed.
            variants: texts that mean the same; the first that names a filter is understood where
                the one typed names none.
            found: (N,) bands, changed in place.
            popularity: (N,) how many people like each document.
        """
        reading = self._understanding.read(query, popularity)
        if reading.filters and reading.rest and (shorter := _without_dropped(query)) is not None:
            for form in shorter.forms:  # "lion king movie" is no film of a King
                named = self._names.equal_to(form)
                found[named] = np.minimum(found[named], np.uint8(Band.EXACT))
        is_named = found.min(initial=Band.NONE) <= Band.EXACT
        if is_named or np.count_nonzero(found <= Band.WORDS) >= ENOUGH:
            return reading
        for variant in map(Query.parse, variants):
            bands_of_variant = self._bands(variant, forgives=False)
            np.minimum(found, bands_of_variant, out=found)
            if not reading.filters:
                other = self._understanding.read(variant, popularity)
                reading = other if other.filters else reading
        return reading

    def _matched(
        self, text: str, variants: Sequence[str], popularity: Float32 | None
    ) -> tuple[Query, Matches, UInt8, Reading]:
        """Return a text as it is matched, who and what match, (N,) the bands, what it asks for.

        Raises:
            QueryTooLongError: the text is longer than any title.
        """
        query = Query.parse(text)
        matches = self._matches(query)
        found = self._bands(query, matches)
        reading = self._read(query, variants, found, popularity)
        if not reading.filters and not is_as_typed(found):
            query = self._without_fillers(query, found)
            matches = self._matches(query)
        return query, matches, found, reading

    def _preference(
        self,
        people: LabelMatches,
        reading: Reading | None,
        found: UInt8,
        affinity: Float32 | None,
        popularity: Float32 | None,
        alike: Float32 | None,
        passages: Float32 | None,
    ) -> Preference:
        """Return what orders documents of one band; of a reading, how well they answer it."""
        if reading is None:
            strength = self._strength(people, found, popularity)
        else:
            strength = reading.strength()
        chosen = self._choices.after(" ".join(people.query.words))
        return Preference.of(
            len(found), affinity, popularity, chosen, alike, self._weights,
            meaning=self._meaning_of(reading, found, passages) if reading else None,
            held=reading.held() if reading else None,
            strength=strength,
        )  # fmt: skip

    def _hits(
        self, found: UInt8, preference: Preference, k: int, part: Part
    ) -> tuple[tuple[Hit, ...], int, int]:
        """Return at most k hits, how many are listed in all, and the position of the first."""
        listed = found if part.listed is None else np.where(part.listed, found, np.uint8(Band.NONE))
        ahead = part.num_ahead
        total = int(np.count_nonzero(listed != Band.NONE)) + ahead
        begin = min(part.begin, max(total - 1, 0) // max(k, 1) * k)
        first, last = max(begin - ahead, 0), begin + k - ahead
        if part.keys is None:
            best = order(listed, self._tie_break, last, Band.NONE, preference)
        else:
            best = order_by(tiers(listed), part.keys, self._tie_break, last, Band.NONE)
        hits = tuple(self._hit(n, found, preference) for n in best[first:].tolist())
        return hits, total, begin

    def alike(
        self, id_: int, k: int = NEAR_SIZE, *, allowed: Bool | None = None
    ) -> tuple[Hit, ...]:
        """Return the documents nearest in meaning to one that may not be to be had itself.

        Args:
            id_: the document's; one that is not known is near to nothing.
            k: how many at most.
            allowed: (N,) False for documents that this viewer may not find; None allows all.
        """
        place = int(np.searchsorted(self.document_ids, id_))
        if place == len(self.document_ids) or self.document_ids[place] != id_:
            return ()
        places, scores = self._meaning.near_document(place, ALIKE_SIZE)
        fits = self._is_available[places] & (scores > 0)
        if allowed is not None:
            fits &= allowed[places]
        return self._near_hits(places[fits][:k], scores[fits][:k])

    def _near_hits(self, places: Int64, scores: Float32) -> tuple[Hit, ...]:
        pairs = zip(self.document_ids[places].tolist(), scores.tolist(), strict=True)
        return tuple(Hit(id_, Band.NONE, {"meaning": score}) for id_, score in pairs)

    def _alike(self, reading: Reading) -> Float32 | None:
        """Return (N,) how like each document is to the one that others should be like."""
        if reading.like is None:
            return None
        similarity = self._similarity(reading.like) if self._similarity else None
        if similarity is None or not similarity.any():
            places, scores = self._meaning.near_document(reading.like, ALIKE_SIZE)
        else:
            places = np.argsort(-similarity, kind="stable")[:ALIKE_SIZE]
            scores = similarity[places]
        alike = np.zeros(len(reading.mask), dtype=np.float32)
        alike[places] = scores
        return alike

    def _filter(
        self, found: UInt8, reading: Reading, alike: Float32 | None, query: Query
    ) -> tuple[Filter, ...]:
        """Let the filters of a text choose, unless a name holds all of it; return those that do.

        Where a name does, what they would choose comes behind it. What holds fewer of them follows
        where little holds all.
        """
        if not reading.filters:
            return ()
        is_named = names_it(found)
        if is_named and reading.rest:
            return ()
        kept = self._kept(reading, alike, query)
        if kept.min(initial=Band.NONE) == Band.NONE:
            return ()
        if is_named:
            if len(query.words) > 1 and found.min(initial=Band.NONE) == Band.NEAR:
                kept[kept == Band.ABOUT] = Band.FITS  # a name of several words is likelier meant
            np.minimum(found, kept, out=found)
            return reading.filters if found.min(initial=Band.NONE) > Band.EXACT else ()
        if reading.rest and may_name_it(found):
            np.minimum(found, kept, out=found)
        else:
            found[:] = kept
        return reading.filters

    def _kept(self, reading: Reading, alike: Float32 | None, query: Query) -> UInt8:
        """Return (N,) the bands of what the filters leave.

        Where the words that are left are held, only what holds them. Else everything that all
        filters hold for; and where that is little, what most of them hold for.
        """
        is_like = np.ones(len(reading.mask), dtype=bool) if alike is None else alike > 0
        fits = reading.mask & is_like
        if 0 < len(reading.rest.split()) <= LONGEST_REST:
            rest = Query.parse(reading.rest + ("" if query.is_open else " "))
            kept = self._bands(rest)
            kept[~fits] = Band.NONE
            if kept.min(initial=Band.NONE) < Band.NONE:
                return kept
        kept = np.full(len(reading.mask), Band.NONE, dtype=np.uint8)
        kept[fits] = Band.FITS if reading.rest else Band.ABOUT
        if fits.any() and not reading.rest:
            return kept
        held = np.where(is_like, reading.held(), 0)
        for level in np.unique(held[~fits & (held > 0)])[::-1]:
            if np.count_nonzero(kept != Band.NONE) >= ENOUGH:
                break
            kept[(held == level) & ~fits] = Band.FITS_MOST
        return kept

    def _passages_like(self, query: Query, reading: Reading | None, found: UInt8) -> Float32 | None:
        """Return (N,) how like each document's nearest passage is to a text, from 0 to 1.

        None where nothing was embedded, where a name holds the text, and where enough matches
        without words left to order it by.
        """
        if self._embed is None or self._passages is None or not query.words or names_it(found):
            return None
        is_left = reading is not None and bool(reading.rest)
        if not is_left and np.count_nonzero(found != Band.NONE) >= ENOUGH:
            return None
        return self._passages.likeness(self._embed(query.text), len(found))

    def _note_passages(
        self, query: Query, reading: Reading | None, found: UInt8, allowed: Bool | None
    ) -> Float32 | None:
        """Let the few documents match of which a passage says nearly what was typed.

        Returns:
            What `_passages_like` does.
        """
        passages = self._passages_like(query, reading, found)
        if passages is None:
            return None
        said = (passages >= SAME_IN_OTHER_WORDS) & self._is_available
        if allowed is not None:
            said &= allowed
        places = np.flatnonzero(said)
        places = places[np.argsort(-passages[places], kind="stable")[:MOST_SAID]]
        found[places] = np.minimum(found[places], np.uint8(Band.SCATTERED))
        return passages

    def _meaning_of(
        self, reading: Reading, found: UInt8, passages: Float32 | None
    ) -> Float32 | None:
        """Return (N,) how near in meaning to the words left documents are that filters chose.

        None where no words are left.
        """
        if not reading.rest:
            return None
        places = np.flatnonzero((found == Band.FITS) | (found == Band.FITS_MOST))
        meaning = np.zeros(len(found), dtype=np.float32)
        typed = self._known_words(reading.rest.split()[:MOST_WORDS])
        places = places[places < self._meaning.num_documents]
        meaning[places] = self._meaning.nearness_of(typed, places, _telling(passages))
        return meaning

    def _without_fillers(self, query: Query, found: UInt8) -> Query:
        """Match a text that nothing holds without "movie" and its like; return what was left."""
        shorter = _without_dropped(query)
        if shorter is not None:
            np.minimum(found, self._bands(shorter), out=found)
        return shorter or query

    def _bands(
        self,
        query: Query,
        matches: tuple[LabelMatches, ...] | None = None,
        *,
        forgives: bool = True,
    ) -> UInt8:
        matches = matches or self._matches(query)
        return bands(query, self._names, self._in_names, self._about, matches, forgives=forgives)

    def _matches(self, query: Query) -> Matches:
        """Return what people, genres and characters match a text."""
        people, genres, characters = (
            LabelMatches(query, labels) for labels in (self._people, self._genres, self._characters)
        )
        return people, genres, characters

    def _note_known_for(
        self, people: LabelMatches, found: UInt8, popularity: Float32 | None
    ) -> None:
        """Let the first titles of who or what was typed stand before names that begin so."""
        query = people.query
        if not query.words:
            return
        genres = self._understanding.genres_named(" ".join(query.words))
        known = [(self._genres, number) for number in genres]
        known = known or [(self._people, number) for number in self._bearers(people, popularity)]
        if not known:
            return
        groups = [most_liked(labels, n, popularity, self._tie_break) for labels, n in known]
        in_turn = (title for turn in zip_longest(*groups) for title in turn if title is not None)
        is_better_known = ~np.isin(found, NOT_BETTER_KNOWN)
        first: dict[int, None] = {}
        for title in in_turn:
            if is_better_known[title]:
                first[title] = None
            if len(first) == KNOWN_FOR_SIZE:
                break
        found[list(first)] = Band.KNOWN_FOR

    def _strength(
        self, people: LabelMatches, found: UInt8, popularity: Float32 | None
    ) -> Float32 | None:
        """Return (N,) how much documents are of what was typed, None where all alike are.

        Of people of that name, the better known and higher billed count more. Of names that begin
        but for a mistake, those count that hold every word but for mistakes.
        """
        if not people.query.words:
            return None
        near = words_near(people.query, self._in_names, found)
        numbers = commonest(self._people, np.flatnonzero(people.whole))
        if not len(near) and len(numbers) < 2:
            return None
        strength = np.zeros(len(found), dtype=np.float32)
        strength[near] = 1
        known = fame(self._people, numbers, popularity)
        known[np.isin(numbers, named_last(self._people, people.query.words, numbers))] *= SURNAME
        known /= known.max(initial=1)
        for number, share in zip(numbers.tolist(), known.tolist(), strict=True):
            documents, weights = self._people.weighed(number)
            strength[documents] = np.maximum(strength[documents], np.float32(share) * weights)
        return strength

    def _bearers(self, matches: LabelMatches, popularity: Float32 | None) -> list[int]:
        """Return the best known people of this surname or whole name who have some titles.

        None who is far less known than somebody else whose name has the words, nor who has fewer
        titles than there are names with the words: `christmas` is the feast, not Eric Christmas.
        """
        people, typed = self._people, matches.query.words
        if sum(map(len, typed)) < SHORTEST_SURNAME:
            return []
        numbers = commonest(people, np.flatnonzero(matches.whole))
        in_names = int(np.count_nonzero(holds_all(matches.query, self._in_names)))
        numbers = numbers[people.counts[numbers] >= max(LEAST_CREDITS, in_names)]
        if not len(numbers):
            return []
        known = fame(people, numbers, popularity)
        is_known = known >= LEAST_FAME * known.max()
        bearers = named_last(people, typed, numbers[is_known])
        best: list[int] = best_known(people, bearers, popularity, KNOWN_FOR_SIZE).tolist()
        return best

    def _make_room(self, query: Query, found: UInt8, preference: Preference) -> None:
        """Let a few names that are one mistake away stand among the first ten."""
        if not query.words or not has_room_for_mistakes(query, found):
            return
        near = np.flatnonzero(found == Band.NEAR)
        if not len(near):
            return
        ahead = np.where(found < Band.NEAR, found, np.uint8(Band.NONE))
        first = order(ahead, self._tie_break, FIRST_AS_TYPED, Band.NONE, preference)
        names = (self._document_names[n] for n in near.tolist())
        likely = np.array([_is_likely_slip(query.forms[0], name) for name in names], dtype=bool)
        near = near[np.lexsort((self._tie_break[near], -preference.total(near), ~likely))]
        make_room_for_mistakes(found, first, near)

    def _make_room_for_meaning(
        self,
        reading: Reading,
        found: UInt8,
        preference: Preference,
        allowed: Bool | None,
        passages: Float32 | None,
    ) -> None:
        """Let the few documents nearest in meaning to a description stand among the first ten.

        In a sentence of a plot a genre or a name may be no wish. What must not be, and the age it
        is for, always is.
        """
        must = any(f.is_negated or f.kind in ALWAYS_MEANT for f in reading.filters)
        if must or not reading.rest or found.min(initial=Band.NONE) < Band.FITS:
            return
        typed = self._known_words(word for word in reading.words if word not in FILLERS)
        near = self._meaning.near_words(typed, ENOUGH, _telling(passages))[0]
        near = near[self._is_available[near]]
        if allowed is not None:
            near = near[allowed[near]]
        first = order(found, self._tie_break, FIRST_AS_TYPED, Band.NONE, preference)
        make_room_for_meaning(found, first, near)

    def _take_out(self, found: UInt8, allowed: Bool | None) -> list[int]:
        """Take out what may not be shown or had; return places of the latter whose names fit."""
        if allowed is not None:
            found[~allowed] = Band.NONE
        gone = self._unavailable[found[self._unavailable] != Band.NONE]
        meant = gone[np.isin(found[gone], MEANT)]
        found[gone] = Band.NONE
        best: list[int] = meant[np.argsort(self._tie_break[meant])][:GROUP_SIZE].tolist()
        return best

    def _near(
        self,
        query: Query,
        reading: Reading | None,
        found: UInt8,
        unavailable: list[int],
        allowed: Bool | None,
        passages: Float32 | None,
    ) -> tuple[Hit, ...]:
        """Return documents near in meaning to the text, or to the one meant and not to be had.

        None where enough matches.
        """
        if not query.words or names_it(found):
            return ()
        if np.count_nonzero(found != Band.NONE) >= ENOUGH:
            return ()
        if unavailable:
            places, scores = self._meaning.near_document(unavailable[0], ALIKE_SIZE)
        else:
            left = reading.rest.split() if reading else query.words
            typed = self._known_words([word for word in left if word not in FILLERS] or left)
            places, scores = self._meaning.near_words(typed, ALIKE_SIZE, _telling(passages))
        fits = (found[places] == Band.NONE) & self._is_available[places]
        if reading is not None:
            fits &= reading.mask[places]
        if allowed is not None:
            fits &= allowed[places]
        return self._near_hits(places[fits][:NEAR_SIZE], scores[fits][:NEAR_SIZE])

    def _known_words(self, typed: Iterable[str]) -> list[str]:
        """Return the words, each that no document holds as the nearest one that some do."""
        found = []
        for word in typed:
            if word in self._meaning:
                found.append(word)
            elif nearest := self._about.nearest(word, mistakes_in_word(word)):
                found.append(nearest)
        return found

    def _group(
        self, matches: LabelMatches, found: UInt8, popularity: Float32 | None
    ) -> tuple[str, ...]:
        """Return the labels that match best, those equally well by how well known they are.

        Mistakes are forgiven where nothing holds the words as typed.
        """
        query, labels = matches.query, matches.labels
        if not query.words or not len(labels):
            return ()
        ranks = label_ranks(matches, forgives=not is_as_typed(found))
        if labels is self._genres:
            ranks[self._understanding.genres_named(" ".join(query.words))] = Band.EXACT
        best: list[int] = []
        places = np.flatnonzero(ranks != Band.NONE)
        for rank in np.unique(ranks[places]).tolist():
            equal = places[ranks[places] == rank]
            left = GROUP_SIZE - len(best)
            surname = query.words if rank == Band.ABOUT else ()
            best += best_known(labels, equal, popularity, left, surname).tolist()
            if len(best) == GROUP_SIZE:
                break
        return tuple(labels.labels[n] for n in best)

    def _hit(self, place: int, found: UInt8, preference: Preference) -> Hit:
        return Hit(
            int(self.document_ids[place]), Band(int(found[place])), preference.explained(place)
        )

    def _correction(self, query: Query, found: UInt8, preference: Preference) -> str | None:
        """Return the text that was meant, None where something holds the words as typed."""
        if is_as_typed(found):
            return None
        best = order(found, self._tie_break, 1, Band.NONE, preference)
        if not len(best):
            return None
        if found[best[0]] in (Band.WORDS_NEAR, Band.ABOUT_NEAR):
            return " ".join(
                word if word in self._about or not nearest else nearest
                for word in query.words
                for nearest in [self._about.nearest(word, mistakes_in_word(word))]
            )
        return self._document_names[int(best[0])]


def _without_dropped(query: Query) -> Query | None:
    """Return a text without "movie", "the movie" and the like; None where it has none, or only."""
    typed = query.words
    dropped = {n for n, word in enumerate(typed) if word in DROPPED}
    dropped |= {n - 1 for n in dropped if n and typed[n - 1] in ARTICLES}
    left = [word for n, word in enumerate(typed) if n not in dropped]
    if not left or not dropped:
        return None
    is_open = query.is_open and len(typed) - 1 not in dropped
    return Query.parse(" ".join(left) + ("" if is_open else " "))


def _both(first: Bool | None, second: Bool | None) -> Bool | None:
    """Return (N,) where both masks are True; a mask that is None is True everywhere."""
    if first is None or second is None:
        return second if first is None else first
    return first & second


def _telling(passages: Float32 | None) -> Float32 | None:
    """Return how like a text passages are, 0 where no more than any two texts are."""
    return None if passages is None else np.where(passages < UNLIKE, np.float32(0), passages)


def _words_in_names(documents: list[Document], folded: "_Folded") -> Postings:
    return Postings((map(folded.__getitem__, document.names) for document in documents), joins=True)


def _words_about(documents: list[Document], folded: "_Folded") -> Postings:
    return Postings(map(folded.__getitem__, _texts(document)) for document in documents)


def _numbers(documents: list[Document]) -> dict[str, Int64]:
    """Return (N,) the numbers of documents by name; 0, or for ages -1, where one is unknown."""
    values = {
        "year": [d.year or 0 for d in documents],
        "minutes": [d.minutes or 0 for d in documents],
        "age": [-1 if d.age is None else d.age for d in documents],
        "is_series": [int(d.is_series) for d in documents],
    }
    return {name: np.array(of_all, dtype=np.int64) for name, of_all in values.items()}


def _tie_break(documents: list[Document], places: Int64) -> Int64:
    """Return what orders documents without any preference: shorter names first, then earlier ones.

    Args:
        documents: N of them.
        places: (N,) their numbers among all.
    """
    lengths = np.array([len(document.name) for document in documents], dtype=np.int64)
    return np.asarray((lengths << NUMBER_BITS) | places, dtype=np.int64)


def _is_likely_slip(typed: str, name: str) -> bool:
    """Return whether a letter was left out of a name, or two were swapped.

    There are fewer ways to make these mistakes than to put in or replace a letter.
    """
    joined = "".join(words(name))
    return len(joined) == len(typed) + 1 or sorted(joined) == sorted(typed)


def _texts(document: Document) -> Iterator[str]:
    yield from (*document.names, *document.people, *document.characters, *document.genres)
    if document.year is not None:
        yield str(document.year)


class _Folded(dict[str, list[str]]):
    """The folded words of texts that come more than once while an engine is built."""

    def __missing__(self, text: str) -> list[str]:
        self[text] = found = words(text)
        return found


def _weighed_words(document: Document, folded: _Folded) -> Iterator[tuple[str, float]]:
    for texts, weight in (
        (document.names, IN_A_NAME),
        (document.genres, IN_A_GENRE),
        (document.people, IN_A_CAST),
        (document.characters, IN_A_CAST),
    ):
        for text in texts:
            yield from zip(folded[text], repeat(weight), strict=False)
    yield from zip(words(document.plot), repeat(IN_A_PLOT), strict=False)
    for text, times in document.chosen_after:
        yield from zip(words(text), repeat(float(times)), strict=False)


class _Choices:
    """Which documents were chosen after a query, and how often."""

    def __init__(self, documents: list[Document]) -> None:
        self._num_documents = len(documents)
        chosen: dict[str, dict[int, int]] = {}
        for place, document in enumerate(documents):
            for text, times in document.chosen_after:
                after = chosen.setdefault(fold(text), {})
                after[place] = after.get(place, 0) + times
        self._texts, self._documents = sorted_groups({t: list(a) for t, a in chosen.items()})
        _, self._times = sorted_groups({t: list(a.values()) for t, a in chosen.items()})

    def among(self, num_documents: int) -> "_Choices":
        """Return the same among more documents, which nobody chose yet."""
        choices = copy(self)
        choices._num_documents = num_documents
        return choices

    def after(self, folded: str) -> Float32 | None:
        """Return (N,) how often each document was chosen after this folded text, None if never."""
        index = self._texts.find(folded)
        if index is None:
            return None
        chosen = np.zeros(self._num_documents, dtype=np.float32)
        chosen[self._documents.of(index)] = self._times.of(index)
        return chosen
