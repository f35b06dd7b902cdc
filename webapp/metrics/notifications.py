"""Notifications to operators: lines of text in; the log, Apprise URLs and e-mail out.

Only workers import this: Apprise takes 40 MB.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from apprise import Apprise, AppriseAsset, NotifyType
from django.conf import settings
from django.core.mail import send_mail

logger = logging.getLogger(__name__)

DEADLINE_SECONDS = 20.0
"""For all destinations together: one that answers byte by byte must not hold the worker."""
_ASSET = AppriseAsset(http_redirects=False)
"""A destination is what the operator named, and not where it sends us on."""


@dataclass(frozen=True)
class Destination:
    """Where lines are sent: by a title and a body, True if they were taken."""

    key: str
    """Identifies it in the database, without its tokens."""
    name: str
    send: Callable[[str, str], bool]


def destinations() -> list[Destination]:
    """Return the log, each URL of MARQUEE_ALERT_URLS, and the addresses of mail as one."""
    # An URL itself holds tokens, so it is named by its number.
    urls = [
        Destination(_key(url), f"URL {number} of MARQUEE_ALERT_URLS", partial(_send, url))
        for number, url in enumerate(settings.ALERT_URLS, start=1)
    ]
    addresses = ", ".join(settings.ALERT_EMAIL)
    mail = [Destination(_key(addresses), addresses, _mail)] if addresses else []
    return [Destination("log", "the log", _log), *urls, *mail]


def notify(messages: Sequence[tuple[Destination, Sequence[str]]]) -> list[bool]:
    """Send each destination its lines, all at once; a failure is logged and stops no other.

    Returns:
        For each, False if it refused them; one that is still answering may have taken them.
    """
    results: dict[int, bool] = {}
    threads = [
        threading.Thread(target=_try, args=(results, place, to, lines), daemon=True)
        for place, (to, lines) in enumerate(messages)
    ]
    until = time.monotonic() + DEADLINE_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    for place, (to, _) in enumerate(messages):
        if place not in results:
            logger.error("%s is still answering, the worker goes on", to.name)
    return [results.get(place, True) for place in range(len(messages))]


def unsupported_urls() -> list[int]:
    """Return which of MARQUEE_ALERT_URLS, counted from 1, Apprise cannot send to."""
    return [n for n, url in enumerate(settings.ALERT_URLS, start=1) if not Apprise().add(url)]


def _try(results: dict[int, bool], place: int, to: Destination, lines: Sequence[str]) -> None:
    """Send to one destination, whatever that raises: a server may answer anything."""
    title = " ".join(f"Marquee: {lines[0]}".split())
    try:
        results[place] = to.send(title, "\n".join(lines))
    except Exception:
        logger.exception("the alert could not be sent to %s", to.name)
        results[place] = False
    else:
        if not results[place]:
            logger.error("the alert could not be sent to %s", to.name)


def _key(destination: str) -> str:
    return hashlib.sha256(destination.encode()).hexdigest()[:16]


def _log(title: str, body: str) -> bool:
    for line in body.split("\n"):
        logger.warning("alert: %s", line)
    return True


def _send(url: str, title: str, body: str) -> bool:
    destination = Apprise(asset=_ASSET)
    return destination.add(url) and bool(
        destination.notify(body, title=title, notify_type=NotifyType.WARNING)
    )


def _mail(title: str, body: str) -> bool:
    return bool(send_mail(title, body, None, settings.ALERT_EMAIL))
