"""What a text says besides words to match: genres, times, people, countries, "like TITLE", "no …".

N documents.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from rapidfuzz.distance import OSA

from recommender.arrays import Bool, Float32, Int64
from search.index.changed import AnyLabels, AnyNames, AnyStrings
from search.index.known import by_billing, named_last
from search.phrases import LATEST, Span, length_at, time_at
from search.query import Filter, FilterKind, Query, mistakes_in_word
from search.text import ARTICLES, fold
from search.wording import (
    AGE_FOR_CHILDREN,
    BEFORE_ACTORS,
    BEFORE_DIRECTORS,
    BEFORE_LIKE,
    BEFORE_PEOPLE,
    CHILDRENS_GENRES,
    COMBINED,
    CONNECTIVES,
    DEMONYMS,
    FILLERS,
    FILM_WORDS,
    FOR_CHILDREN,
    LIKE,
    NEGATIONS,
    PEOPLE_LANGUAGES,
    SERIES_WORDS,
    SYNONYMS,
)

LONGEST_LABEL = 4
SHORTEST_BEGINNING = 3
LEAST_CREDITS = 3
"""Titles of somebody whose surname alone is understood."""
SHORT_TEXT = 6
"""In a text of no more words, a genre is meant as one; in a longer one it may be part of a plot."""
PERSON, TIME, GENRE, GENRE_IN_PASSING, OTHER = 4.0, 3.0, 2.0, 1.0, 1.5
"""How much each constraint counts where not all can hold: the surer its reading, the more."""
SERIES_AFTER_TV = (["series"], ["show"], ["shows"])
_DASH = re.compile(r"[-–—]+")


@dataclass(frozen=True)
class Facts:
    """What is known of documents that a text may ask for.

    Attributes:
        genres: of the documents.
        languages: spoken in each, the first one foremost.
        countries: each is from, the first one foremost.
        people: who made it or plays in it.
        directors: who directed it.
        years: (N,), 0 where unknown.
        minutes: (N,) how long each is, 0 where unknown.
        ages: (N,) from which age each may be watched, -1 where unknown.
        is_series: (N,) False for films.
        shown: (N,) the documents' names as they are shown.
        names: all their names.
        tie_break: (N,) which of two documents of a name is meant, the lower one.
    """

    genres: AnyLabels
    languages: AnyLabels
    countries: AnyLabels
    people: AnyLabels
    directors: AnyLabels
    years: Int64
    minutes: Int64
    ages: Int64
    is_series: Bool
    shown: AnyStrings
    names: AnyNames
    tie_break: Int64


@dataclass(frozen=True)
class Constraint:
    """Something that documents should be, or not be.

    Attributes:
        holds: (N,) where it holds; what must not be is turned round already.
        weight: how much it counts where not all can hold.
        strength: (N,) from 0 to 1, how much a document is of it; None where all alike are.
    """

    holds: Bool
    weight: float
    strength: Float32 | None = None


@dataclass(frozen=True)
class Reading:
    """What was understood.

    Attributes:
        filters: in the order of the text.
        mask: (N,) True where all of them hold.
        rest: the words that no filter took.
        words: all words of the text.
        like: the document that others should be like, None where none is named.
        constraints: what the filters ask for; of several times one is enough.
    """

    filters: tuple[Filter, ...]
    mask: Bool
    rest: str
    like: int | None = None
    constraints: tuple[Constraint, ...] = ()
    words: tuple[str, ...] = ()

    def held(self) -> Float32:
        """Return (N,) the weights of the constraints that hold for each document."""
        held = np.zeros(len(self.mask), dtype=np.float32)
        for constraint in self.constraints:
            held += np.float32(constraint.weight) * constraint.holds
        return held

    def strength(self) -> Float32 | None:
        """Return (N,) how much each document is of what was asked for, None if all alike are."""
        strengths = [c.strength for c in self.constraints if c.strength is not None]
        return np.mean(strengths, axis=0, dtype=np.float32) if strengths else None


@dataclass(frozen=True)
class _Found:
    """A filter at some words: what it is, which documents it keeps, how many words it takes."""

    kind: FilterKind
    value: str
    mask: Bool
    length: int
    weight: float = OTHER
    strength: Float32 | None = None
    like: int | None = None


@dataclass
class _Text:
    """A text while it is read: its words, and the typed token that each is part of.

    `popularity` tells which of several titles is meant.
    """

    words: list[str]
    tokens: list[str]
    owners: list[int]
    popularity: Float32 | None = None
    spans: list[tuple[int, int, _Found, bool]] = field(default_factory=list)
    rest: list[int] = field(default_factory=list)

    def has_dash_after(self, place: int) -> bool:
        """Return whether a word and the next one are written with a dash between."""
        if place + 1 >= len(self.words):
            return False
        first, second = self.owners[place], self.owners[place + 1]
        if first == second:
            return bool(_DASH.search(self.tokens[first]))
        return second == first + 2 and bool(_DASH.fullmatch(self.tokens[first + 1]))


class Understanding:
    """Reads texts by what is known of the documents."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._aliases = _aliases(facts.genres)

    def read(self, query: Query, popularity: Float32 | None = None) -> Reading:
        """Read a text; without filters where nothing was understood.

        Args:
            query: the text.
            popularity: (N,) how many people like each document: of several titles that others may
                be like, the most liked is meant.
        """
        tokens, owners = query.text.split(), []
        for number, token in enumerate(tokens):
            owners += [number] * len(fold(token).split())
        text = _Text(list(query.words), tokens, owners, popularity)
        if len(owners) != len(text.words):  # marks that fold otherwise between words than alone
            return Reading((), np.ones(len(self._facts.years), dtype=bool), query.text)
        place = 0
        while place < len(text.words):
            found, first, is_negated = self._at(text, place)
            if not found:
                text.rest.append(place)
                place += 1
                continue
            dashed = tokens[owners[first]].startswith("-") and len(tokens[owners[first]]) > 1
            end = first + max(each.length for each in found)
            text.spans += [(place, end, each, is_negated or dashed) for each in found]
            place = end
        if text.spans and text.rest and text.rest[-1] == len(text.words) - 1 and query.is_open:
            finished = self._unfinished(text.words[-1])
            if finished is not None:
                text.spans.append((text.rest.pop(), len(text.words), finished, False))
        self._find_in_rest(text)
        return self._reading(text)

    def genres_named(self, folded: str) -> list[int]:
        """Return the numbers of the genres that a folded text names, by any of their names."""
        return list(self._aliases.get(folded, ()))

    def _reading(self, text: _Text) -> Reading:
        filters = []
        spans = sorted(text.spans, key=lambda span: span[0])
        for begin, end, found, is_negated in spans:
            taken = set(text.owners[begin:end])
            without = " ".join(t for n, t in enumerate(text.tokens) if n not in taken)
            filters.append(Filter(found.kind, found.value, is_negated, without))
        left = [text.words[n] for n in text.rest if not spans or text.words[n] not in FILLERS]
        like = next((found.like for *_, found, _ in spans if found.like is not None), None)
        constraints = self._constraints(spans)
        mask = np.ones(len(self._facts.years), dtype=bool)
        for constraint in constraints:
            mask &= constraint.holds
        rest, words = " ".join(left), tuple(text.words)
        return Reading(tuple(filters), mask, rest, like, constraints, words)

    def _constraints(
        self, spans: Sequence[tuple[int, int, _Found, bool]]
    ) -> tuple[Constraint, ...]:
        """Return what the filters ask for; several times are one constraint."""
        constraints = []
        times: Bool | None = None
        for *_, found, is_negated in spans:
            if is_negated:
                constraints.append(Constraint(~found.mask, found.weight))
            elif found.kind in (FilterKind.YEAR, FilterKind.DECADE, FilterKind.YEARS):
                times = found.mask if times is None else times | found.mask
            else:
                constraints.append(Constraint(found.mask, found.weight, found.strength))
        if times is not None:
            constraints.append(Constraint(times, TIME))
        return tuple(constraints)

    def _at(self, text: _Text, place: int) -> tuple[list[_Found], int, bool]:
        """Return the filters that begin here, the word that names them, and whether denied."""
        words = text.words
        like = self._like(text, place)
        if like is not None:
            return [like], place, False
        for read in (self._age, self._kind):
            found = read(words, place)
            if found is not None:
                return [found], place, False
        first, is_negated = place, False
        while first < len(words) and words[first] in NEGATIONS:
            first, is_negated = first + 1, True
        if is_negated and words[first : first + 1] == ["about"]:
            first += 1
        if first == len(words):
            return [], place, False
        numbers = self._numbers(text, first)
        if numbers is not None:
            return [numbers], first, is_negated
        first, before, numbers = self._after_connectives(text, first)
        if numbers is not None:
            return [numbers], first, is_negated
        if first == len(words):
            return [], place, False
        return self._named(text, first, before), first, is_negated

    def _after_connectives(self, text: _Text, first: int) -> tuple[int, str, _Found | None]:
        """Return the first word that is none, the role said before it, a time met on the way."""
        before, length = _role(text.words, first)
        first += length
        while first < len(text.words) and text.words[first] in CONNECTIVES:
            numbers = self._numbers(text, first)
            if numbers is not None:
                return first, before, numbers
            word = text.words[first]
            before = (
                "" if word in ARTICLES else before or ("people" if word in BEFORE_PEOPLE else "")
            )
            first += 1
        return first, before, None

    def _named(self, text: _Text, first: int, before: str) -> list[_Found]:
        """Return the filters named by the words from this one on, the longest first."""
        words = text.words
        for length in range(min(LONGEST_LABEL, len(words) - first), 0, -1):
            name = " ".join(words[first : first + length])
            found = self._label(text, name, first, length, before)
            if found:
                return found
        numbers = self._numbers(text, first)
        if numbers is not None:
            return [numbers]
        after = words[first + 1 : first + 2]
        if before or (after and after[0] in FILM_WORDS):
            return self._surname(words[first], before)
        return []

    def _label(self, text: _Text, name: str, first: int, length: int, before: str) -> list[_Found]:
        facts = self._facts
        combined = COMBINED.get(name)
        if combined is not None:
            found = (self._label(text, part, first, length, "") for part in combined)
            parts = [each for of_part in found for each in of_part]
            return parts if len(parts) == len(combined) else []
        genres = self._aliases.get(name)
        if genres:
            weight = GENRE if self._is_firm(text, first, length) else GENRE_IN_PASSING
            return [self._of(FilterKind.GENRE, facts.genres, genres, length, weight)]
        origin = self._origin(text, name, first, length)
        if origin is not None:
            return [origin]
        if length > 1 or before:
            person = facts.people.number_of(name)
            if person is not None:
                return [self._person([person], facts.people.labels[person], length, before)]
        return []

    def _is_firm(self, text: _Text, first: int, length: int) -> bool:
        """Return whether a genre is meant as one: in a short text, or beside "film"."""
        if len(text.words) <= SHORT_TEXT:
            return True
        after = text.words[first + length : first + length + 3]
        if any(word in FILM_WORDS for word in after[:1]) or "starring" in after[:1]:
            return True
        return any(
            word in FILM_WORDS and all(self._aliases.get(between) for between in after[:n])
            for n, word in enumerate(after)
        )

    def _origin(self, text: _Text, name: str, first: int, length: int) -> _Found | None:
        """Return the language or country that a word names; "French" is either, foremost."""
        facts = self._facts
        language = facts.languages.number_of(name)
        countries = [
            number
            for country in DEMONYMS.get(name, (name,))
            for number in [facts.countries.number_of(country)]
            if number is not None
        ]
        others = [facts.languages.number_of(other) for other in PEOPLE_LANGUAGES.get(name, ())]
        languages = [number for number in (language, *others) if number is not None]
        if not languages and not countries:
            return None
        before = text.words[max(first - 1, 0) : first]
        after = text.words[first + length : first + length + 1]
        is_spoken = language is not None and (before == ["in"] or after == ["language"])
        mask = np.zeros(len(facts.years), dtype=bool)
        if is_spoken:
            mask = facts.languages.mask_of(languages[0], len(mask))
        else:
            labels, numbers = (
                (facts.languages, languages) if languages else (facts.countries, countries)
            )
            for number in numbers:
                mask[_foremost(labels, number)] = True
        if language is not None:
            return _Found(FilterKind.LANGUAGE, facts.languages.labels[language], mask, length)
        if countries:
            shown = max(countries, key=lambda number: facts.countries.counts[number])
            return _Found(FilterKind.COUNTRY, facts.countries.labels[shown], mask, length)
        return _Found(FilterKind.LANGUAGE, facts.languages.labels[languages[0]], mask, length)

    def _surname(self, word: str, before: str) -> list[_Found]:
        """Return the people of a surname who have some titles, meant but for a mistake perhaps."""
        people = self._facts.people
        if len(word) < SHORTEST_BEGINNING or word in FILLERS:
            return []
        numbers = self._known(named_last(people, [word]))
        if not len(numbers) and before in ("director", "actor"):
            nearest = people.in_names.nearest(word, mistakes_in_word(word))
            numbers = self._known(named_last(people, [nearest])) if nearest else numbers
            word = nearest or word
        if not len(numbers):
            return []
        shown = people.labels[int(numbers[0])] if len(numbers) == 1 else word.title()
        return [self._person(numbers.tolist(), shown, 1, before)]

    def _known(self, numbers: Int64) -> Int64:
        return numbers[self._facts.people.counts[numbers] >= LEAST_CREDITS]

    def _person(self, numbers: Sequence[int], shown: str, length: int, before: str) -> _Found:
        """Return the filter for people: what they directed, if that was said and is known."""
        facts = self._facts
        found = self._of(FilterKind.PERSON, facts.people, numbers, length, PERSON)
        mask = found.mask
        if before == "director":
            names = (fold(facts.people.labels[number]) for number in numbers)
            directors = [n for n in map(facts.directors.number_of, names) if n is not None]
            if directors:
                mask = np.zeros_like(mask)
                mask[facts.directors.documents_of(np.array(directors))] = True
        return _Found(FilterKind.PERSON, shown, mask, length, PERSON, found.strength)

    def _find_in_rest(self, text: _Text) -> None:
        """Read genres typed with a mistake, and surnames, in what is left beside filters."""
        if len(text.words) > SHORT_TEXT:
            return
        for place in list(text.rest):
            word = text.words[place]
            if word in FILLERS:
                continue
            found = self._misspelt(word) if text.spans or _has_film_word(text.words) else None
            if found is None and text.spans and len(word) > SHORTEST_BEGINNING:
                is_first_name = place + 1 in text.rest and text.words[place + 1] not in FILLERS
                after = self._surname(word, "") if not is_first_name else []
                found = after[0] if after and not self._is_in_a_name(word) else None
            if found is not None:
                text.rest.remove(place)
                text.spans.append((place, place + 1, found, False))

    def _is_in_a_name(self, word: str) -> bool:
        return bool(len(self._facts.names.equal_to(word)))

    def _misspelt(self, word: str) -> _Found | None:
        """Return the genre that a word of no other meaning is one mistake away from."""
        if len(word) < 5:
            return None
        near = [
            tuple(numbers)
            for alias, numbers in self._aliases.items()
            if abs(len(alias) - len(word)) <= 1 and _is_one_mistake_away(alias, word)
        ]
        if len(set(near)) != 1 or self._facts.people.in_names.with_word(word).any():
            return None
        return self._of(FilterKind.GENRE, self._facts.genres, near[0], 1, GENRE)

    def _of(
        self,
        kind: FilterKind,
        labels: AnyLabels,
        numbers: Sequence[int],
        length: int,
        weight: float,
    ) -> _Found:
        """Return the filter that keeps what has any of these labels, shown by the commonest."""
        strength = np.zeros(len(self._facts.years), dtype=np.float32)
        most = labels.counts[list(numbers)].max()
        for number in numbers:
            documents, weights = labels.weighed(number)
            np.maximum.at(strength, documents, weights * np.float32(labels.counts[number] / most))
        shown = max(numbers, key=lambda number: labels.counts[number])
        return _Found(kind, labels.labels[shown], strength > 0, length, weight, strength)

    def _numbers(self, text: _Text, place: int) -> _Found | None:
        """Return the time or the length that is named from a word on."""
        words, facts = text.words, self._facts
        minutes = length_at(words, place)
        if minutes is not None and facts.minutes.any():
            mask = (facts.minutes >= minutes.first) & (facts.minutes <= minutes.last)
            return _Found(FilterKind.LENGTH, minutes.value, mask, minutes.length)
        span = time_at(words, place)
        if span is None:
            return None
        if span.length == 1 and span.first == span.last and text.has_dash_after(place):
            last = time_at(words, place + 1)
            if last is not None and last.length == 1 and last.first > span.first:
                value = f"{span.first}–{last.last}"
                span = Span(span.first, last.last, 2, value)
        years = facts.years
        mask = (years >= max(span.first, 1)) & (years <= span.last)
        return _Found(_kind_of(span), span.value, mask, span.length, TIME)

    def _age(self, words: list[str], place: int) -> _Found | None:
        """Return "for kids" and its like: by age where it is known, else by genre."""
        length = next(
            (len(p) for p in FOR_CHILDREN if tuple(words[place : place + len(p)]) == p), 0
        )
        if not length:
            return None
        facts = self._facts
        genres = [n for name in CHILDRENS_GENRES for n in self._aliases.get(name, ())]
        mask = facts.ages <= AGE_FOR_CHILDREN
        if genres:
            is_of_genre = np.zeros_like(mask)
            is_of_genre[facts.genres.documents_of(np.array(genres))] = True
            mask &= is_of_genre
        else:
            mask &= facts.ages >= 0
        return _Found(FilterKind.AGE, "for kids", mask, length) if mask.any() else None

    def _kind(self, words: list[str], place: int) -> _Found | None:
        """Return "series" where a catalogue has both series and films."""
        is_series = self._facts.is_series
        if words[place] not in SERIES_WORDS or not is_series.any() or is_series.all():
            return None
        is_two_words = words[place] == "tv" and words[place + 1 : place + 2] in SERIES_AFTER_TV
        length = 2 if is_two_words else 1
        return _Found(FilterKind.KIND, "Series", is_series, length)

    def _like(self, text: _Text, place: int) -> _Found | None:
        """Return "like TITLE", the longest title that the words after it name; not the verb."""
        words = text.words
        for phrase in LIKE:
            first = place + len(phrase)
            if tuple(words[place:first]) != phrase:
                continue
            before = words[place - 1] if place else ""
            is_verb = before and before not in BEFORE_LIKE and before not in self._aliases
            if phrase == ("like",) and is_verb:
                continue
            for last in range(len(words), first, -1):
                is_rest = last == len(words)
                title = self._title_named(
                    " ".join(words[first:last]), text.popularity, may_go_on=is_rest
                )
                if title is not None:
                    mask = np.ones(len(self._facts.years), dtype=bool)
                    mask[title] = False
                    shown = self._facts.shown[title]
                    return _Found(FilterKind.LIKE, shown, mask, last - place, like=title)
        return None

    def _title_named(
        self, folded: str, popularity: Float32 | None, *, may_go_on: bool
    ) -> int | None:
        """Return the document that a folded text names: the most liked, then the shortest name.

        Args:
            folded: the text.
            popularity: (N,) how many people like each document.
            may_go_on: whether a name may begin with it where none is it: "star wars".
        """
        names, query = self._facts.names, Query.parse(folded)
        liked = np.zeros(len(self._facts.years)) if popularity is None else popularity
        for form in query.forms:
            places = names.equal_to(form)
            if len(places):
                return int(places[np.lexsort((self._facts.tie_break[places], -liked[places]))[0]])
        if may_go_on and len(query.words) > 1:
            places, left = names.beginning_with(query.forms[0])
            if len(places):
                keys = (self._facts.tie_break[places], left, -liked[places])
                return int(places[np.lexsort(keys)[0]])
        return None

    def _unfinished(self, word: str) -> _Found | None:
        """Return the genre that a word still being typed can only mean."""
        if len(word) < SHORTEST_BEGINNING:
            return None
        meant = {
            tuple(numbers) for alias, numbers in self._aliases.items() if alias.startswith(word)
        }
        if len(meant) != 1:
            return None
        return self._of(FilterKind.GENRE, self._facts.genres, meant.pop(), 1, GENRE)


def _aliases(genres: AnyLabels) -> dict[str, list[int]]:
    """Return genres by their names, plurals and synonyms; a genre's own name means it alone."""
    names = [fold(genre) for genre in genres.labels]
    aliases: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        others = [synonym for synonyms in SYNONYMS if name in synonyms for synonym in synonyms]
        for alias in dict.fromkeys((*_plurals(name), *others)):
            aliases.setdefault(alias, []).append(number)
    return aliases | {name: [number] for number, name in enumerate(names) if name}


def _plurals(name: str) -> Iterable[str]:
    yield name + "s"
    if name.endswith("y"):
        yield name[:-1] + "ies"


def _foremost(labels: AnyLabels, number: int) -> Int64:
    """Return the documents that have a label first."""
    documents, weights = labels.weighed(number)
    return documents[weights >= by_billing(0, 1)]


def _role(words: Sequence[str], place: int) -> tuple[str, int]:
    """Return the role that words before a name say, and how many they are."""
    for role, phrases in (("director", BEFORE_DIRECTORS), ("actor", BEFORE_ACTORS)):
        for phrase in phrases:
            if tuple(words[place : place + len(phrase)]) == phrase:
                return role, len(phrase)
    return "", 0


def _kind_of(span: Span) -> FilterKind:
    if span.first == span.last:
        return FilterKind.YEAR
    is_decade = span.last == span.first + 9 and span.first % 10 == 0 and span.last != LATEST
    return FilterKind.DECADE if is_decade else FilterKind.YEARS


def _has_film_word(words: Sequence[str]) -> bool:
    return any(word in FILM_WORDS for word in words)


def _is_one_mistake_away(one: str, other: str) -> bool:
    return bool(OSA.distance(one, other, score_cutoff=1) <= 1)
