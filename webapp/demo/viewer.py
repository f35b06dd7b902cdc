"""One simulated visit: scan rows with position bias, open, play, search, lose patience, leave.

Every number is documented in docs/simulation.md; none was measured on people.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from webapp.demo.site import Card, Shown, Site
from webapp.demo.tastes import Film, Intent, mistyped
from webapp.events.playback import QUALIFIED_SECONDS


@dataclass(frozen=True)
class Habits:
    """How simulated viewers behave: chances, costs in looks, and seconds.

    Attributes:
        next_row: the chance to go on to the row below; so the n-th is looked at with next_row^n.
        next_slot: the chance to go on to the next card; Moffat and Zobel's persistence (2008).
        patience: the mean number of looks in a visit, of a gamma distribution of shape 2.
        opens: the chance to open a card worth 1.
        plays: the chance to play an opened film worth 1.
        so_so_plays: the chance to play an opened film that is only like what is wanted.
        stays: the chance that what began is watched for real, by its worth, added to a half.
        finishes: the share of films watched for real that are watched to the end.
        begins_with_search: the share of visits that begin at the search.
        searches_at_last: the chance to search once when the rows had nothing.
        knows_a_name: the share of searches for a film by its name, not by genre or person.
        mistypes: the chance of a mistake in a query.
        goes_on: the chance to look for another film after one.
        page_costs: looks that a title's page costs.
        query_costs: looks that a query costs.
    """

    next_row: float = 0.85
    next_slot: float = 0.9
    patience: float = 60.0
    opens: float = 0.6
    plays: float = 0.8
    so_so_plays: float = 0.3
    stays: float = 0.5
    finishes: float = 0.6
    begins_with_search: float = 0.2
    searches_at_last: float = 0.4
    knows_a_name: float = 0.5
    mistypes: float = 0.2
    goes_on: float = 0.15
    page_costs: float = 3.0
    query_costs: float = 4.0
    look_seconds: float = 1.5
    page_seconds: float = 15.0
    key_seconds: float = 0.4
    report_seconds: int = 1500


@dataclass
class Visit:
    """A visit under way, with its own clock.

    Attributes:
        site: where.
        intent: what for.
        rng: all chance.
        now: the simulated moment.
        paths: the address of each title's page.
        is_known: whether a profile visits, so that films are watched to the end over the gap.
        watched: what was watched for real, for the person to remember.
    """

    site: Site
    intent: Intent
    rng: np.random.Generator
    now: datetime
    paths: Mapping[int, str]
    habits: Habits = field(default_factory=Habits)
    watched: list[int] = field(default_factory=list)
    patience: float = 0.0
    met: set[int] = field(default_factory=set)
    """Titles weighed in this visit: nobody weighs a card twice."""
    impressions: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> None:
        """Visit until something was watched or patience ends."""
        self.patience = float(self.rng.gamma(2, self.habits.patience / 2))
        if self._chance(self.habits.begins_with_search) and self._search():
            return
        may_search = True
        while self.patience > 0:
            card = self._scan(self._look("/"))
            if card is not None:
                if self._visit_title(card):
                    return
            elif may_search and self._chance(self.habits.searches_at_last):
                may_search = False
                if self._search():
                    return
            else:
                return

    def _look(self, path: str, query: str = "", *, as_fragment: bool = False) -> Shown:
        shown = self.site.look(path, self.now, query=query, as_fragment=as_fragment)
        self._wait(self.habits.look_seconds)
        return shown

    def _scan(self, shown: Shown) -> Card | None:
        """Look at cards from the top left on; return the one to open, None where none was."""
        chosen = next((card for card in self._looked_at(shown) if self._wants(card)), None)
        self._tell_impressions()
        return chosen

    def _looked_at(self, shown: Shown) -> Iterator[Card]:
        for row in shown.rows:
            for card in row:
                if self.patience <= 0:
                    return
                self._note(card)
                yield card
                if not self._chance(self.habits.next_slot):
                    break
            if not self._chance(self.habits.next_row):
                return
        if shown.more:
            yield from self._looked_at(self._look(shown.more, as_fragment=True))

    def _note(self, card: Card) -> None:
        """See a card: an impression; what was weighed before costs a glance."""
        is_new = card.title not in self.met
        self.patience -= 1 if is_new else 0.2
        self._wait(self.habits.look_seconds if is_new else 0.3)
        self.impressions.append(self._event("impression", card))

    def _wants(self, card: Card) -> bool:
        if card.title in self.met:
            return False
        self.met.add(card.title)
        return self._chance(self.habits.opens * self.intent.worth(card.title))

    def _visit_title(self, card: Card, depth: int = 0) -> bool:
        """Open a title; play it, or one of those like it; return whether the visit is over."""
        if card.surface == "search":
            self._tell([self._event("choose", card)])
        shown = self.site.open(self.paths[card.title], card, self.now)
        self.patience -= self.habits.page_costs
        self._wait(self.habits.page_seconds)
        worth = self.intent.worth(card.title)
        is_liked = worth >= 0.5
        plays = self.habits.plays * worth if is_liked else self.habits.so_so_plays
        if self._chance(plays) and self._watch(self.intent.films[card.title], worth):
            return True
        if depth < 2 and self.patience > 0:
            further = self._scan(shown)
            if further is not None:
                return self._visit_title(further, depth + 1)
        return False

    def _watch(self, film: Film, worth: float) -> bool:
        """Play; return whether the visit is over."""
        is_real = self._chance(self.habits.stays + (1 - self.habits.stays) * worth)
        self._tell([self._of_player("play", film, 0)])
        if not is_real:
            seconds = int(self.rng.integers(10, 100))
            self._wait(seconds)
            self._tell([self._of_player("stop", film, min(seconds, film.seconds))])
            return False
        self.watched.append(film.id)
        self.intent.person.known.add(film.id)
        self._watch_on(film)
        if not self._chance(self.habits.goes_on):
            return True
        self.patience = max(self.patience, self.habits.patience / 2)
        return False

    def _watch_on(self, film: Film) -> None:
        """Watch for real: to the end, or some way; told often enough to stay one visit.

        That it was for real is told as of the moment it was, with the next report.
        """
        goal = film.seconds
        if not self._chance(self.habits.finishes):
            goal = int(self.rng.integers(min(150, film.seconds), film.seconds + 1))
        position = min(QUALIFIED_SECONDS + 5, goal)
        self._wait(position)
        waiting = [self._of_player("progress", film, position)]
        while goal - position > self.habits.report_seconds:
            position += self.habits.report_seconds
            self._wait(self.habits.report_seconds)
            self._tell([*waiting, self._of_player("progress", film, position)])
            waiting = []
        self._wait(goal - position)
        end = self._of_player("finish" if goal == film.seconds else "stop", film, goal)
        self._tell([*waiting, end])

    def _search(self) -> bool:
        """Search by a name, or by a genre or person; return whether the visit is over."""
        suggested = self._scan(self._look("/search/"))
        if suggested is not None:
            return self._visit_title(suggested)
        wanted = self.intent.cluster[int(self.rng.integers(len(self.intent.cluster)))]
        if self._chance(self.habits.knows_a_name):
            return self._search_by_name(wanted)
        return self._search_by_topic(wanted)

    def _search_by_name(self, wanted: Film) -> bool:
        """Type the name, a mistake now and then, until it is seen among the first results."""
        text = wanted.name[:40]
        if self._chance(self.habits.mistypes):
            text = mistyped(text, self.rng)
        for length in (*range(3, len(text), 3), len(text)):
            self._wait(3 * self.habits.key_seconds)
            shown = self._look("/search/", text[:length].strip(), as_fragment=True)
            found = self._find(shown, wanted)
            if found is not None:
                self._tell([self._of_search(text[:length].strip())])
                return self._visit_title(found)
        self._tell([self._of_search(text.strip())])
        self.patience -= self.habits.query_costs
        return False

    def _find(self, shown: Shown, wanted: Film) -> Card | None:
        """Look through the results for one title."""
        found = None
        for row in shown.rows:
            for card in row:
                self.impressions.append(self._event("impression", card))
                if card.title == wanted.id:
                    found = card
                    break
                if not self._chance(self.habits.next_slot):
                    break
        self._tell_impressions()
        return found

    def _search_by_topic(self, wanted: Film) -> bool:
        """Type a genre or a person of what is wanted, and scan what comes."""
        topics = [*sorted(wanted.genres), *sorted(wanted.people)[:3]]
        if not topics:
            return False
        text = topics[int(self.rng.integers(len(topics)))]
        if self._chance(self.habits.mistypes):
            text = mistyped(text, self.rng)
        self._wait(len(text) * self.habits.key_seconds)
        shown = self._look("/search/", text, as_fragment=True)
        self.patience -= self.habits.query_costs
        self._tell([self._of_search(text)])
        card = self._scan(shown)
        return card is not None and self._visit_title(card)

    def _event(self, kind: str, card: Card) -> dict[str, Any]:
        return {
            "kind": kind, "title": card.title, "occurred_at": self.now.isoformat(),
            "surface": card.surface, "slate": card.slate, "row": card.row, "slot": card.slot,
            "query": card.query,
        }  # fmt: skip

    def _of_player(self, kind: str, film: Film, position: int) -> dict[str, Any]:
        return {
            "kind": kind, "title": film.id, "occurred_at": self.now.isoformat(),
            "surface": "watch", "position_seconds": position, "duration_seconds": film.seconds,
        }  # fmt: skip

    def _of_search(self, text: str) -> dict[str, Any]:
        at = self.now.isoformat()
        return {"kind": "search", "surface": "search", "query": text, "occurred_at": at}

    def _tell(self, events: list[dict[str, Any]]) -> None:
        self.site.tell([*self.impressions, *events], self.now)
        self.impressions = []

    def _tell_impressions(self) -> None:
        if self.impressions:
            self._tell([])

    def _chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def _wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
