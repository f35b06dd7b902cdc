"""Titles, genres and people as templates show them, cached for one state of the catalogue.

A process reads a title's row once for each state of the catalogue: what is shown of it then is as
old as that state, which is looked at every `RELEASE_POLL_SECONDS`.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypedDict

from webapp.catalog.models import Genre, Person, Title
from webapp.catalog.whole_titles import titles_for_cards

MOST = 50_000
"""Titles kept at most, and people; about 2 kB each."""


class CardFace(NamedTuple):
    """What of a title's card is the same in every slot, as safe HTML.

    Attributes:
        attributes: of the link.
        content: what the link holds.
    """

    attributes: str
    content: str


class TitleFacts(TypedDict):
    """What of a title the API answers in every slot."""

    id: int
    name: str
    year: int | None
    genre: str | None
    url: str
    poster: str


class Cards:
    """Rows of one state of the catalogue; threads may share it."""

    def __init__(self) -> None:
        """Read the genres. One query."""
        self.faces: dict[int, CardFace] = {}
        """By title id, filled by whoever renders them."""
        self.facts: dict[int, TitleFacts] = {}
        """The same for what the API answers."""
        self.genres: dict[int, Genre] = Genre.objects.in_bulk()
        self._titles: dict[int, Title] = {}
        self._people: dict[int, Person] = {}

    def titles(self, ids: Iterable[int]) -> dict[int, Title]:
        """Return the titles with these ids, with genres, without plots; one query for new ones.

        Whoever shows them must not change them.
        """
        wanted = dict.fromkeys(ids)
        missing = [id_ for id_ in wanted if id_ not in self._titles]
        titles = self._titles
        if missing:
            if len(self._titles) > MOST:
                self._titles, self.faces, self.facts = {}, {}, {}
            new = titles_for_cards(missing)
            self._titles.update(new)
            titles = {**titles, **new}
        return {id_: titles[id_] for id_ in wanted if id_ in titles}

    def people(self, ids: Iterable[int]) -> dict[int, Person]:
        """Return the people with these ids; one query for new ones."""
        wanted = dict.fromkeys(ids)
        missing = [id_ for id_ in wanted if id_ not in self._people]
        if missing:
            if len(self._people) > MOST:
                self._people = {}
            self._people.update(Person.objects.in_bulk(missing))
        return {id_: self._people[id_] for id_ in wanted if id_ in self._people}
