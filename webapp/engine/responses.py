"""One function for each page: home, rows below, title, genre, person, search and its suggestions.

Each makes its question, and returns what the template shows; the slate is written on the way.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from recommender.ranking.row_kinds import SPOTLIGHT, row_id
from recommender.serving.candidates import Listing
from recommender.serving.request import ShownRow
from recommender.serving.stages import stage
from recommender.serving.visit_topics import PERSON, visit_topics
from webapp.catalog.models import Genre, Person, Title
from webapp.discovery.hits import SEARCH_HITS
from webapp.discovery.questions import (
    HomeQuestion,
    ListingQuestion,
    RowsBelowQuestion,
    SearchQuestion,
    SuggestionsQuestion,
    TitleQuestion,
)
from webapp.discovery.selection import EVERYTHING, Selection, Sort
from webapp.discovery.surface import Surface
from webapp.discovery.treatments import rival_of, treated_viewer
from webapp.engine.page_views import HomePage, ListingPage, SearchPage, TitlePage, TopicView
from webapp.engine.respond import PageRequest, Response, read_request, respond
from webapp.engine.viewers import FIRST_ROWS
from webapp.engine.views import RowView
from webapp.engine.wording import SORT_WORDS
from webapp.events.passed_over import passed_over
from webapp.events.popular_plays import played_next, played_today
from webapp.events.searches import recent_searches, trending_searches
from webapp.events.title_state import title_state_of
from webapp.events.visits import CurrentVisit
from webapp.rules.search_rules import search_rules
from webapp.slates.pinned import FOLD_SLOTS, pinned_rows

LISTED = 48
"""Titles on a page of a genre or a person."""
TYPED_TITLES = 6
"""Most titles that are shown of a row while typing."""


def home(visit: CurrentVisit, now: datetime, *, is_whole: bool = False) -> HomePage:
    """Build the home page's rows for the visit's viewer and write the slate down.

    Six queries where a background thread holds the live release and its titles are at hand:
    evidence 3, what is on screen 1, visit and slate 2. One more where the visit saw a home page
    or did something before: what it passed over.

    Args:
        visit: whose.
        now: the moment.
        is_whole: all rows, rather than the first `FIRST_ROWS` and what the visit has seen.
    """
    max_rows = None if is_whole else FIRST_ROWS
    request = read_request(visit, Surface.HOME, now, max_rows=max_rows)
    with stage("events"):
        rows = pinned_rows(visit)
        if rows or request.evidence.is_visit_recorded:
            request = _with_passed_over(request, is_scrolled=False)
    question = HomeQuestion(request.viewer, request.context, rows, played_today.get())
    response = respond(request, question)
    spotlight, views = _split(response.views, rows)
    return HomePage(
        response.slate_id,
        views,
        response.is_fallback,
        spotlight,
        _topics(request, response),
        has_more=not is_whole and len(views) >= FIRST_ROWS,
        is_new_profile=visit.profile is not None and not request.evidence.liked,
    )


def more_rows(visit: CurrentVisit, shown: uuid.UUID, now: datetime) -> HomePage | None:
    """Go on with a home page below what it shows, by the evidence of now; write a slate of it.

    No title of the page comes again. None where the page is not this visit's, or was made before
    a switch of the profile was turned.

    Args:
        visit: whose.
        shown: the slate of the page.
        now: the moment.
    """
    rows = pinned_rows(visit, shown)
    if not rows:
        return None
    request = read_request(visit, Surface.HOME, now)
    with stage("events"):
        request = _with_passed_over(request, is_scrolled=True)
    question = RowsBelowQuestion(request.viewer, request.context, rows, played_today.get())
    response = respond(request, question, continues=shown)
    num_above = sum(row.kind != SPOTLIGHT for row in rows)
    return HomePage(response.slate_id, response.views, response.is_fallback, num_above=num_above)


def _with_passed_over(request: PageRequest, *, is_scrolled: bool) -> PageRequest:
    """Return the request with what this visit was shown and did not open. One query."""
    titles = passed_over(request.visit, request.evidence, is_scrolled=is_scrolled)
    if not titles:
        return request
    viewer = replace(request.viewer, passed_over=titles)
    return replace(request, viewer=treated_viewer(viewer, request.visit.treatment))


def _topics(request: PageRequest, response: Response) -> list[TopicView]:
    """Return what this visit is taken to be about. One query for people not at hand."""
    if response.is_fallback:
        return []
    topics = visit_topics(request.live.catalogue, request.viewer, response.answer.taste)
    cards = request.live.cards
    people = cards.people(topic.id for topic in topics if topic.kind == PERSON)
    named = [(t, (people if t.kind == PERSON else cards.genres).get(t.id)) for t in topics]
    return [TopicView(topic.kind, about) for topic, about in named if about is not None]


def _split(
    views: Sequence[RowView], on_screen: Sequence[ShownRow]
) -> tuple[RowView | None, list[RowView]]:
    """Return the spotlight, if there is one, and the rows; both marked where they are updated.

    The row below the spotlight is updated if the visit saw a home page without what now stands
    first in it.

    Args:
        views: of the home page.
        on_screen: what the visit has seen of its last home page.
    """
    number = next((n for n, view in enumerate(views) if view.kind == SPOTLIGHT), None)
    rows = [view for view in views if view.kind != SPOTLIGHT]
    if number is None:
        return None, rows
    lead = rows[number]
    before = {row_id(row.kind, row.key): row.titles for row in on_screen}
    seen = before.get(row_id(lead.kind, lead.key), [])
    first = [slot.title.pk for slot in lead.slots[:FOLD_SLOTS]]
    is_updated = bool(on_screen) and list(seen[:FOLD_SLOTS]) != first
    rows[number] = replace(lead, is_updated=is_updated)
    return replace(views[number], is_updated=is_updated), rows


def title_page(visit: CurrentVisit, title: Title, now: datetime) -> TitlePage:
    """Find the titles like one and write the slate down."""
    request = read_request(visit, Surface.TITLE, now)
    with stage("events"):
        next_titles = played_next(title.pk)
    question = TitleQuestion(request.viewer, request.context, title.pk, next_titles)
    response = respond(request, question)
    rows = {view.kind: view for view in response.views}
    listed = request.evidence.listed
    position = listed.index(title.pk) + 1 if title.pk in listed else None
    similar = rows.get("more_like") or rows.get("near")
    state = title_state_of(visit, title, request.evidence)
    return TitlePage(response.slate_id, state, similar, rows.get("played_next"), position)


def genre_page(
    visit: CurrentVisit,
    genre: Genre,
    page: int,
    now: datetime,
    selection: Selection = EVERYTHING,
) -> ListingPage:
    """Order a genre's titles for this viewer, and write the slate of one page of them down.

    Args:
        visit: whose.
        genre: which.
        page: from 1; one past the last is the last.
        now: the moment.
        selection: which of them, in which order.
    """
    return _listing_page(visit, Surface.GENRE, genre.pk, page, now, selection)


def person_page(
    visit: CurrentVisit,
    person: Person,
    page: int,
    now: datetime,
    selection: Selection = EVERYTHING,
) -> ListingPage:
    """The same for all that someone made or plays in."""
    return _listing_page(visit, Surface.PERSON, person.pk, page, now, selection)


def _listing_page(
    visit: CurrentVisit,
    surface: Surface,
    key: int,
    page: int,
    now: datetime,
    selection: Selection,
) -> ListingPage:
    listing = Listing(surface.value, key, (max(page, 1) - 1) * LISTED, LISTED)
    request = read_request(visit, surface, now)
    question = ListingQuestion(request.viewer, request.context, listing, selection)
    response = respond(request, question)
    answer = response.answer
    order = SORT_WORDS.get(selection.sort) or (
        "what fits you best first" if answer.taste else "what most people like first"
    )
    row = next(iter(response.views), None)
    return ListingPage(response.slate_id, row, answer.total, order, answer.facets)


def prequery(visit: CurrentVisit, now: datetime) -> SearchPage:
    """Suggest titles and texts for this visit before anything is typed; write the slate down."""
    request = read_request(visit, Surface.PREQUERY, now)
    rival = rival_of(visit.treatment)
    response = respond(request, SuggestionsQuestion(request.viewer, request.context, rival))
    page = _search_page(request, "", response)
    recent = recent_searches(visit, now, request.evidence)
    own_texts = {text.casefold() for text in recent}
    trending = [text for text in trending_searches(visit) if text not in own_texts]
    return replace(page, recent=recent, trending=trending)


def search(
    visit: CurrentVisit,
    text: str,
    now: datetime,
    selection: Selection | None = None,
    page: int = 1,
) -> SearchPage:
    """Find what a text means, ordered for this viewer among titles that match equally well.

    Args:
        visit: whose.
        text: as typed.
        now: the moment.
        selection: which of the matches, in which order; None leaves facets uncounted.
        page: of the matches, from 1; one past the last is the last.

    Raises:
        search.errors.SearchError: the text cannot be answered, in words for the one who typed.
    """
    request = read_request(visit, Surface.SEARCH, now)
    text = _storable(text)
    curation = search_rules.get().curation(text, now)
    is_by_match = selection is None or selection.sort is Sort.MATCH
    rival = rival_of(visit.treatment) if is_by_match and not curation.pins else ""
    begin = (max(page, 1) - 1) * SEARCH_HITS
    question = SearchQuestion(
        request.viewer, request.context, text, rival, selection, begin, curation
    )
    found = _search_page(request, text, respond(request, question))
    return replace(found, number=min(max(page, 1), found.num_pages))


def typed(visit: CurrentVisit, text: str, now: datetime) -> SearchPage:
    """Answer a keystroke: the first of what `search` finds, by the same evidence, in less work.

    The slate holds what was shown, so that a choice can be credited to it, and nothing to build it
    again from.

    Raises:
        search.errors.SearchError: the text cannot be answered, in words for the one who typed.
    """
    request = read_request(visit, Surface.SEARCH, now)
    text = _storable(text)
    # No rival ranking shares this list: it would flicker from one keystroke to the next.
    curation = search_rules.get().curation(text, now)
    question = SearchQuestion(
        request.viewer, request.context, text, curation=curation, is_submitted=False
    )
    return _search_page(request, text, respond(request, question, max_titles=TYPED_TITLES))


def _storable(text: str) -> str:
    """Return the text without the null characters that PostgreSQL does not keep."""
    return text.replace("\0", "")


def _search_page(request: PageRequest, text: str, response: Response) -> SearchPage:
    rows = {view.kind: view for view in response.views}
    result, live = response.answer.search_result, request.live
    people = live.cards.people(live.subjects.people_named(result.people))
    return SearchPage(
        response.slate_id,
        request.surface,
        text,
        result,
        rows.get("results") or rows.get("typed"),
        rows.get("near"),
        rows.get("suggestions"),
        list(people.values()),
        _in_order(live.cards.genres.values(), result.genres),
        facets=response.answer.facets,
    )


def _in_order(genres: Iterable[Genre], names: Sequence[str]) -> list[Genre]:
    """Return those with these names, in their order."""
    by_name = {genre.name: genre for genre in genres} if names else {}
    return [by_name[name] for name in names if name in by_name]
