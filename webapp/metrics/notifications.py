"""Notifications to operators: lines of text in; the log, Apprise URLs and e-mail out.

Only workers import this: Apprise takes 40 MB.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from apprise import Apprise, AppriseAsset, NotifyType
from django.conf import settings
from django.core.mail import send_mail

logger = logging.getLogger(__name__)

DEADLINE_SECONDS = 20.0
"""For all destinations together: one that answers byte by byte must not hold the worker."""
_ASSET = AppriseAsset(http_redirects=False)
"""A destination is what the operator named, and not where it sends us on."""


def notify(lines: Sequence[str]) -> bool:
    """Send to every destination at once; each failure is logged and stops no other.

    Returns:
        False if every destination refused it; whoever is still answering may have taken it.
    """
    for line in lines:
        logger.warning("alert: %s", line)
    title, body = " ".join(f"Marquee: {lines[0]}".split()), "\n".join(lines)
    # An URL itself holds tokens, so it is named by its number.
    sends: dict[str, Callable[[], bool]] = {
        f"URL {number} of MARQUEE_ALERT_URLS": partial(_send, url, title, body)
        for number, url in enumerate(settings.ALERT_URLS, start=1)
    }
    if settings.ALERT_EMAIL:
        sends[", ".join(settings.ALERT_EMAIL)] = partial(_mail, title, body)
    results: dict[str, bool] = {}
    threads = [
        threading.Thread(target=_try, args=(name, send, results), daemon=True)
        for name, send in sends.items()
    ]
    until = time.monotonic() + DEADLINE_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    for name in sends.keys() - results.keys():
        logger.error("%s is still answering, the worker goes on", name)
    return not sends or any(results.get(name, True) for name in sends)


def unsupported_urls() -> list[int]:
    """Return which of MARQUEE_ALERT_URLS, counted from 1, Apprise cannot send to."""
    return [n for n, url in enumerate(settings.ALERT_URLS, start=1) if not Apprise().add(url)]


def _try(name: str, send: Callable[[], bool], results: dict[str, bool]) -> None:
    """Send to one destination, whatever that raises: a server may answer anything."""
    try:
        results[name] = send()
    except Exception:
        logger.exception("the alert could not be sent to %s", name)
        results[name] = False
    else:
        if not results[name]:
            logger.error("the alert could not be sent to %s", name)


def _send(url: str, title: str, body: str) -> bool:
    destination = Apprise(asset=_ASSET)
    return destination.add(url) and bool(
        destination.notify(body, title=title, notify_type=NotifyType.WARNING)
    )


def _mail(title: str, body: str) -> bool:
    return bool(send_mail(title, body, None, settings.ALERT_EMAIL))
