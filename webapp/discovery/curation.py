"""Curation: what operators decided for one search: pinned and hidden titles, and other texts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pin:
    """A title with its position in the results, from 1."""

    title_id: int
    position: int


@dataclass(frozen=True)
class Curation:
    """What operators' rules say of one search, at one moment.

    Attributes:
        pins: each stands at its position, unless the viewer may not or does not want to see it.
        hidden: titles that the search does not find.
        variants: texts that mean the same.
        rules: ids of the rules that say so.
    """

    pins: tuple[Pin, ...] = ()
    hidden: tuple[int, ...] = ()
    variants: tuple[str, ...] = ()
    rules: tuple[int, ...] = ()


UNCURATED = Curation()
