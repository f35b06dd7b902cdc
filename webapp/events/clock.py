"""The time of a request: now, or the moment that a simulated viewer sends in a header.

Both headers count only with `MARQUEE_SIMULATION_TOKEN`; without that setting no request is
simulated and every request has the real time.
"""

from datetime import UTC, datetime

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

TOKEN_HEADER = "X-Marquee-Simulation"  # noqa: S105  names a header
NOW_HEADER = "X-Marquee-Now"
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Evidence is looked for in the weeks before a moment, and the calendar begins with the year 1."""


def is_simulated(request: HttpRequest) -> bool:
    """Whether a simulated viewer asks."""
    sent_token = request.headers.get(TOKEN_HEADER, "")
    token = settings.SIMULATION_TOKEN
    return bool(token) and constant_time_compare(sent_token, token)


def now_of(request: HttpRequest) -> datetime:
    """Return the moment of the request.

    Raises:
        BadRequest: a simulated viewer names no moment of the past.
    """
    now = timezone.now()
    header = request.headers.get(NOW_HEADER)
    if header is None or not is_simulated(request):
        return now
    try:
        moment = datetime.fromisoformat(header)
    except ValueError as error:
        raise BadRequest(f"{NOW_HEADER} must be an ISO 8601 time, got {header[:40]!r}") from error
    if moment.tzinfo is None or not EARLIEST < moment <= now:
        raise BadRequest(
            f"{NOW_HEADER} must lie between {EARLIEST:%Y} and now and name its zone, "
            f"got {header[:40]!r}"
        )
    return moment
