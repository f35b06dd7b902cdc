"""Notifications to operators: lines of text in; the log, Apprise URLs and e-mail out.

Only workers import this: Apprise takes 40 MB.
"""

import logging
from collections.abc import Sequence

from apprise import Apprise, NotifyType
from django.conf import settings
from django.core.mail import send_mail

logger = logging.getLogger(__name__)


def notify(lines: Sequence[str]) -> None:
    """Send to every destination; each failure is logged and stops no other."""
    for line in lines:
        logger.warning("alert: %s", line)
    title, body = f"Marquee: {lines[0]}", "\n".join(lines)
    for number, url in enumerate(settings.ALERT_URLS, start=1):
        if not _send(url, title, body):
            # The URL itself holds tokens.
            logger.error("the alert could not be sent to URL %d of MARQUEE_ALERT_URLS", number)
    if settings.ALERT_EMAIL:
        try:
            send_mail(title, body, None, settings.ALERT_EMAIL)
        except OSError:
            logger.exception("the alert could not be sent to %s", ", ".join(settings.ALERT_EMAIL))


def unsupported_urls() -> list[int]:
    """Return which of MARQUEE_ALERT_URLS, counted from 1, Apprise cannot send to."""
    return [n for n, url in enumerate(settings.ALERT_URLS, start=1) if not Apprise().add(url)]


def _send(url: str, title: str, body: str) -> bool:
    destination = Apprise()
    return destination.add(url) and bool(
        destination.notify(body, title=title, notify_type=NotifyType.WARNING)
    )
