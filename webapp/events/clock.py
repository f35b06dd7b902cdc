"""What time it is for a request: now, or, for a simulated viewer, the moment it says it lives in.

Both are believed of those alone who know `MARQUEE_SIMULATION_TOKEN`; without that setting nobody
is simulated, and no clock is ever another than the real one.
"""

from datetime import datetime

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

TOKEN_HEADER = "X-Marquee-Simulation"  # noqa: S105  names a header
NOW_HEADER = "X-Marquee-Now"


def is_simulated(request: HttpRequest) -> bool:
    """Whether a simulated viewer asks."""
    told = request.headers.get(TOKEN_HEADER, "")
    token = settings.SIMULATION_TOKEN
    return bool(token) and constant_time_compare(told, token)


def now_of(request: HttpRequest) -> datetime:
    """Return the moment of the request.

    Raises:
        BadRequest: a simulated viewer names no moment of the past.
    """
    now = timezone.now()
    told = request.headers.get(NOW_HEADER)
    if told is None or not is_simulated(request):
        return now
    try:
        moment = datetime.fromisoformat(told)
    except ValueError as error:
        raise BadRequest(f"{NOW_HEADER} must be an ISO 8601 time, got {told[:40]!r}") from error
    if moment.tzinfo is None or moment > now:
        raise BadRequest(f"{NOW_HEADER} must lie in the past and name its zone, got {told[:40]!r}")
    return moment
