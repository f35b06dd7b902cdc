"""Views of search: the results page, suggestions for an empty query, and forgetting a query."""

import uuid
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from search.errors import SearchError
from webapp.catalog.models import Genre
from webapp.discovery.hits import SEARCH_HITS
from webapp.discovery.surface import Surface
from webapp.engine import responses
from webapp.events.clock import now_of
from webapp.events.ingest import EventDraft, record_events
from webapp.events.middleware import visit_of
from webapp.events.models import LONGEST_QUERY, Event
from webapp.events.searches import REDIRECTED, forget_search, is_repeated
from webapp.events.visits import CurrentVisit
from webapp.pages.narrowing import narrowing_of, page_number, page_of, selection_of
from webapp.pages.navigation import is_read
from webapp.rules.search_rules import search_rules


@require_safe
def results(request: HttpRequest) -> HttpResponse:
    """Show the results of a query. The search event is recorded here, so it needs no script."""
    text, now = request.GET.get("q", ""), now_of(request)
    visit = visit_of(request)
    if not text.strip():
        page = responses.prequery(visit, now)
        context = {"text": "", "page": page, "genres": Genre.objects.all()}
        return render(request, "pages/search.html", context)
    address = search_rules.get().redirect(text, now)
    if address:
        if is_read(request):
            _record_search(visit, text.replace("\0", ""), now, value=REDIRECTED)
        return redirect(address)
    number = page_number(request)
    try:
        selection = selection_of(request)
        page = responses.search(visit, text, now, selection, number)
    except SearchError as error:
        context = {"text": text[:LONGEST_QUERY], "error": str(error)}
        return render(request, "pages/search.html", context, status=400)
    if is_read(request):
        _record_search(visit, page.text, now, slate_id=page.slate_id)
    context = {
        "text": page.text,
        "page": page,
        "pages": page_of(page.total, SEARCH_HITS, number),
        "narrowing": narrowing_of(page.facets, selection, page.total, page.text),
    }
    return render(request, "pages/search.html", context)


@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """Forget one of the viewer's own searches. Repeating it changes nothing."""
    text = request.POST.get("q", "").replace("\0", "").strip()
    forget_search(visit_of(request), text)
    return redirect("search")


def _record_search(
    visit: CurrentVisit,
    text: str,
    now: datetime,
    *,
    slate_id: uuid.UUID | None = None,
    value: str = "submit",
) -> None:
    """Record a search event, once even if the page is reloaded."""
    text = text.strip()[:LONGEST_QUERY]
    if is_repeated(visit, text):
        return
    draft = EventDraft(
        uuid.uuid4(),
        Event.Kind.SEARCH,
        None,
        now,
        surface=Surface.SEARCH,
        slate_id=slate_id,
        value=value,
        query=text,
    )
    record_events(visit, [draft], now)
