"""Preview of a title, shown when a card has the pointer or focus for a while."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from webapp.catalog.whole_titles import title_or_404
from webapp.events.middleware import visit_of
from webapp.events.title_state import title_state


@require_safe
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Render a title's facts and controls as a fragment. A preview records no event."""
    visit = visit_of(request)
    title = title_or_404(pk, visit.maturity_limit)
    context = {"title": title, "state": title_state(visit, title)}
    return render(request, "_preview.html", context)
