"""Liveness (`/healthz`) and readiness (`/readyz`) probes."""

from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webapp.engine.live import holder
from webapp.metrics.health_snapshot import worker_trouble
from webapp.postgresql.timeouts import answers_within
from webapp.refreshed import NotReadyError

READY_SECONDS = 2.0


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Respond 200 while the process runs, without a query."""
    return HttpResponse("ok", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Respond 200 if the database answers and a release is loaded, else 503 with the reason.

    With `deep=1` a worker that is dead or busy is a reason, too: for who watches the whole, and not
    for who decides where requests go.
    """
    try:
        with answers_within(READY_SECONDS):
            pass
        live = holder.get()
    except DatabaseError:
        return _not_ready("The database does not answer.")
    except NotReadyError as error:
        return _not_ready(f"Nothing is loaded: {error}.")
    if live.recommender is None:
        return _not_ready(f"No release is loaded: {live.trouble}.")
    if "deep" in request.GET and (trouble := worker_trouble(timezone.now())):
        return _not_ready(trouble)
    return HttpResponse(f"ready, release {live.release_id}", content_type="text/plain")


def _not_ready(reason: str) -> HttpResponse:
    response = HttpResponse(reason, content_type="text/plain", status=503)
    response["Retry-After"] = "2"
    return response
