"""Behaviour model of a simulated visit: an intent and a site go in, events come out.

A viewer scans rows with position bias, opens, plays and searches until patience ends. Every number
is documented in docs/simulation.md; none was measured on people.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from webapp.demo.site import Card, Page, Site
from webapp.demo.tastes import Film, Intent, with_typo
from webapp.events.playback import enough_seconds


@dataclass(frozen=True)
class Habits:
    """The behaviour of simulated viewers: probabilities, costs in looks, and seconds.

    A look is one card considered. Utilities are those of `Intent.utility`.

    Attributes:
        next_row: Probability to go on to the row below, so row n is looked at with next_row^n.
        next_slot: Probability to go on to the next card; Moffat and Zobel's persistence (2008).
        mean_patience: Mean number of looks in a visit, from a gamma distribution of shape 2.
        open_card: Probability to open a card of utility 1.
        play: Probability to play an opened film of utility 1.
        play_unliked: Probability to play an opened film of utility below 0.5.
        keep_watching: Probability at utility 0 that a started film is watched; 1 at utility 1.
        finish: Share of watched films that are watched to the end.
        start_with_search: Share of visits that start with a search.
        search_as_fallback: Probability to search once if the rows had nothing.
        search_by_name: Share of searches by a film's name; the others are by genre or person.
        typo: Probability of a typo in a query.
        continue_after_film: Probability to look for another film after one.
        title_page_cost: Looks that a title's page costs.
        query_cost: Looks that a query costs.
        heartbeat_seconds: Between two progress events of a film, below the gap that ends a visit.
    """

    next_row: float = 0.85
    next_slot: float = 0.9
    mean_patience: float = 60.0
    open_card: float = 0.6
    play: float = 0.8
    play_unliked: float = 0.3
    keep_watching: float = 0.5
    finish: float = 0.6
    start_with_search: float = 0.2
    search_as_fallback: float = 0.4
    search_by_name: float = 0.5
    typo: float = 0.2
    continue_after_film: float = 0.15
    title_page_cost: float = 3.0
    query_cost: float = 4.0
    look_seconds: float = 1.5
    page_seconds: float = 15.0
    key_seconds: float = 0.4
    heartbeat_seconds: int = 1500


@dataclass
class Visit:
    """A simulated visit in progress, with its own clock.

    Attributes:
        site: The site as the viewer's browser reaches it.
        intent: What the viewer looks for.
        rng: The source of every random choice.
        now: The simulated time.
        paths: Path of each title's page by title id.
        watched: Titles watched beyond a trial, in order.
        patience: Looks that are left.
    """

    site: Site
    intent: Intent
    rng: np.random.Generator
    now: datetime
    paths: Mapping[int, str]
    habits: Habits = field(default_factory=Habits)
    watched: list[int] = field(default_factory=list)
    patience: float = 0.0
    considered: set[int] = field(default_factory=set)
    """Titles looked at in this visit: a card is considered once."""
    impressions: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> None:
        """Make the visit: until something was watched or patience ends."""
        self.patience = float(self.rng.gamma(2, self.habits.mean_patience / 2))
        if self._happens(self.habits.start_with_search) and self._search():
            return
        can_search = True
        while self.patience > 0:
            card = self._scan(self._load("/"))
            if card is not None:
                if self._visit_title(card):
                    return
            elif can_search and self._happens(self.habits.search_as_fallback):
                can_search = False
                if self._search():
                    return
            else:
                return

    def _load(self, path: str, query: str = "", *, as_fragment: bool = False) -> Page:
        page = self.site.load(path, self.now, query=query, as_fragment=as_fragment)
        self._wait(self.habits.look_seconds)
        return page

    def _scan(self, page: Page) -> Card | None:
        """Look at cards from the top left; return the one to open, None if there is none."""
        chosen = next((card for card in self._cards(page) if self._wants(card)), None)
        self._send_impressions()
        return chosen

    def _cards(self, page: Page) -> Iterator[Card]:
        """Yield the cards looked at; what was seen is sent before rows below are asked for.

        As a browser does, which sends every three seconds.
        """
        for row in page.rows:
            for card in row:
                if self.patience <= 0:
                    return
                self._look_at(card)
                yield card
                if not self._happens(self.habits.next_slot):
                    break
            if not self._happens(self.habits.next_row):
                return
        if page.more:
            self._send_impressions()
            yield from self._cards(self._load(page.more, as_fragment=True))

    def _look_at(self, card: Card) -> None:
        """Record an impression; a card considered before costs less patience and time."""
        is_new = card.title not in self.considered
        self.patience -= 1 if is_new else 0.2
        self._wait(self.habits.look_seconds if is_new else 0.3)
        self.impressions.append(self._card_event("impression", card))

    def _wants(self, card: Card) -> bool:
        """Decide whether to open the card; a title considered before is never opened."""
        if card.title in self.considered:
            return False
        self.considered.add(card.title)
        return self._happens(self.habits.open_card * self.intent.utility(card.title))

    def _visit_title(self, card: Card, depth: int = 0) -> bool:
        """Open a title and play it or one similar to it; return True if the visit is over."""
        if card.surface == "search":
            self._send([self._card_event("choose", card)])
        page = self.site.open(self.paths[card.title], card, self.now)
        self.patience -= self.habits.title_page_cost
        self._wait(self.habits.page_seconds)
        utility = self.intent.utility(card.title)
        is_liked = utility >= 0.5
        probability = self.habits.play * utility if is_liked else self.habits.play_unliked
        if self._happens(probability) and self._watch(self.intent.films[card.title], utility):
            return True
        if depth < 2 and self.patience > 0:
            similar = self._scan(page)
            if similar is not None:
                return self._visit_title(similar, depth + 1)
        return False

    def _watch(self, film: Film, utility: float) -> bool:
        """Play; return True if the visit is over."""
        base = self.habits.keep_watching
        is_watched = self._happens(base + (1 - base) * utility)
        self._send([self._player_event("play", film, 0)])
        if not is_watched:
            seconds = int(self.rng.integers(10, 100))
            self._wait(seconds)
            self._send([self._player_event("stop", film, min(seconds, film.seconds))])
            return False
        self.watched.append(film.id)
        self.intent.person.seen.add(film.id)
        self._watch_further(film)
        if not self._happens(self.habits.continue_after_film):
            return True
        self.patience = max(self.patience, self.habits.mean_patience / 2)
        return False

    def _watch_further(self, film: Film) -> None:
        """Watch to the end or part of it, with progress events often enough to stay one visit.

        The progress event of the qualified play has the time of that moment, and is sent with the
        next batch.
        """
        end = film.seconds
        if not self._happens(self.habits.finish):
            end = int(self.rng.integers(min(150, film.seconds), film.seconds + 1))
        position = min(enough_seconds(film.seconds) + 5, end)
        self._wait(position)
        unsent = [self._player_event("progress", film, position)]
        while end - position > self.habits.heartbeat_seconds:
            position += self.habits.heartbeat_seconds
            self._wait(self.habits.heartbeat_seconds)
            self._send([*unsent, self._player_event("progress", film, position)])
            unsent = []
        self._wait(end - position)
        kind = "finish" if end == film.seconds else "stop"
        self._send([*unsent, self._player_event(kind, film, end)])

    def _search(self) -> bool:
        """Search by name, or by genre or person; return True if the visit is over."""
        suggested = self._scan(self._load("/search/"))
        if suggested is not None:
            return self._visit_title(suggested)
        target = self.intent.cluster[int(self.rng.integers(len(self.intent.cluster)))]
        if self._happens(self.habits.search_by_name):
            return self._search_by_name(target)
        return self._search_by_topic(target)

    def _search_by_name(self, target: Film) -> bool:
        """Type the name, sometimes with a typo, until the film is among the results looked at."""
        text = target.name[:40]
        if self._happens(self.habits.typo):
            text = with_typo(text, self.rng)
        for length in (*range(3, len(text), 3), len(text)):
            self._wait(3 * self.habits.key_seconds)
            page = self._load("/search/", text[:length].strip(), as_fragment=True)
            card = self._find(page, target)
            if card is not None:
                self._send([self._search_event(text[:length].strip())])
                return self._visit_title(card)
        self._send([self._search_event(text.strip())])
        self.patience -= self.habits.query_cost
        return False

    def _find(self, page: Page, target: Film) -> Card | None:
        """Look through the results for one title; return its card, None if it was not reached."""
        match = None
        for row in page.rows:
            for card in row:
                self.impressions.append(self._card_event("impression", card))
                if card.title == target.id:
                    match = card
                    break
                if not self._happens(self.habits.next_slot):
                    break
        self._send_impressions()
        return match

    def _search_by_topic(self, target: Film) -> bool:
        """Type a genre or a person of the film, and scan the results."""
        topics = [*sorted(target.genres), *sorted(target.people)[:3]]
        if not topics:
            return False
        text = topics[int(self.rng.integers(len(topics)))]
        if self._happens(self.habits.typo):
            text = with_typo(text, self.rng)
        self._wait(len(text) * self.habits.key_seconds)
        page = self._load("/search/", text, as_fragment=True)
        self.patience -= self.habits.query_cost
        self._send([self._search_event(text)])
        card = self._scan(page)
        return card is not None and self._visit_title(card)

    def _card_event(self, kind: str, card: Card) -> dict[str, Any]:
        return {
            "kind": kind, "title": card.title, "occurred_at": self.now.isoformat(),
            "surface": card.surface, "slate": card.slate, "row": card.row, "slot": card.slot,
            "query": card.query,
        }  # fmt: skip

    def _player_event(self, kind: str, film: Film, position: int) -> dict[str, Any]:
        return {
            "kind": kind, "title": film.id, "occurred_at": self.now.isoformat(),
            "surface": "watch", "position_seconds": position, "duration_seconds": film.seconds,
        }  # fmt: skip

    def _search_event(self, text: str) -> dict[str, Any]:
        at = self.now.isoformat()
        return {"kind": "search", "surface": "search", "query": text, "occurred_at": at}

    def _send(self, events: list[dict[str, Any]]) -> None:
        self.site.send([*self.impressions, *events], self.now)
        self.impressions = []

    def _send_impressions(self) -> None:
        if self.impressions:
            self._send([])

    def _happens(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def _wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
