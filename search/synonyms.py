"""Synonyms: a text in, the same with each word or phrase that means another replaced by it out."""

from collections.abc import Iterable, Iterator, Sequence

from search.query import MAX_CHARACTERS
from search.text import words

MOST_VARIANTS = 3
"""Each costs a search as much again."""
MOST_WORDS = 6
"""Of a phrase."""


class Synonyms:
    """Groups of phrases that mean the same; threads may share it."""

    def __init__(self, groups: Iterable[Sequence[str]] = ()) -> None:
        """Take groups of phrases as they are written.

        A phrase without any letter, as "+", stands for nothing: the others of its group may be
        left out.
        """
        self._others: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for group in groups:
            phrases = list(dict.fromkeys(tuple(words(phrase)) for phrase in group))
            for phrase in phrases:
                if 0 < len(phrase) <= MOST_WORDS:
                    others = (other for other in phrases if other != phrase)
                    known = self._others.setdefault(phrase, [])
                    known += [other for other in others if other not in known]
        self._longest = max(map(len, self._others), default=0)

    def variants(self, text: str) -> tuple[str, ...]:
        """Return other texts that mean the same, `MOST_VARIANTS` at most; a last blank stays.

        The first have one phrase replaced, those behind them more.
        """
        if not self._others or len(text) > MAX_CHARACTERS:
            return ()
        end = " " if text[-1:].isspace() else ""
        first = tuple(words(text))
        found = dict.fromkeys([first])
        waiting = [first]
        while waiting and len(found) <= MOST_VARIANTS:
            for variant in self._once_replaced(waiting.pop(0)):
                if variant not in found and len(found) <= MOST_VARIANTS:
                    found[variant] = None
                    waiting.append(variant)
        texts = (" ".join(variant) + end for variant in list(found)[1:])
        return tuple(text for text in texts if len(text) <= MAX_CHARACTERS)

    def _once_replaced(self, typed: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """Yield the words with one phrase replaced, the longest at each place."""
        place = 0
        while place < len(typed):
            for length in range(min(self._longest, len(typed) - place), 0, -1):
                others = self._others.get(typed[place : place + length])
                if others is None:
                    continue
                for other in others:
                    variant = (*typed[:place], *other, *typed[place + length :])
                    if variant:
                        yield variant
                place += length - 1
                break
            place += 1
