"""System checks: settings in, warnings of what they would do together out."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning

SHARED_ADDRESS = "marquee.W001"


def check_proxies(**_: Any) -> list[CheckMessage]:
    """Return a warning if TLS ends at a proxy whose address would stand for every caller's."""
    if settings.PROXIES or not settings.SECURE:
        return []
    return [
        Warning(
            "MARQUEE_SECURE is on and MARQUEE_PROXIES is 0: behind the proxy that ends TLS, all "
            "callers share the proxy's address, and limits by address hit everybody together.",
            hint="Set MARQUEE_PROXIES to how many proxies of yours stand in front, mostly 1. If "
            "gunicorn ends TLS itself and no proxy is there, set "
            f"MARQUEE_SILENCED_CHECKS={SHARED_ADDRESS}.",
            id=SHARED_ADDRESS,
        )
    ]
