"""History page: a profile's plays, hidden and refused items, each with a button to undo it."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from webapp.catalog.models import Title
from webapp.events.history import history_of
from webapp.events.middleware import visit_of
from webapp.events.models import ForgottenTitle
from webapp.profiles.models import HiddenTitle, RefusedGenre, RefusedPerson

HISTORY_PAGE = 50


@login_required
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """List the history, and hidden, refused and forgotten items. Eight queries."""
    visit = visit_of(request)
    profile = visit.profile
    if profile is None:
        return redirect("profiles")
    page = Paginator(history_of(visit), HISTORY_PAGE).get_page(request.GET.get("page"))
    allowed = Title.objects.allowed_for(profile.maturity_limit)
    titles = allowed.defer("plot").in_bulk([entry.title_id for entry in page])
    of_titles = {"profile": profile, "title__in": allowed}
    context = {
        "page": page,
        "entries": [(titles[e.title_id], e) for e in page if e.title_id in titles],
        "forgotten": ForgottenTitle.objects.filter(**of_titles)
        .defer("kept")
        .select_related("title")
        .order_by("-forgotten_at"),
        "hidden": HiddenTitle.objects.filter(**of_titles).select_related("title").order_by("-at"),
        "people": RefusedPerson.objects.filter(profile=profile).select_related("person"),
        "genres": RefusedGenre.objects.filter(profile=profile).select_related("genre"),
    }
    return render(request, "pages/history.html", context)
