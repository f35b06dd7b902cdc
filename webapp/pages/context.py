"""Template context of every page. Nothing is read until a template uses it."""

from collections.abc import Callable

from django.http import HttpRequest

from webapp.profiles.models import Profile


def viewer(request: HttpRequest) -> dict[str, Callable[[], Profile | None]]:
    """Return the current profile as a lazy `profile`; None for an anonymous visitor."""

    def profile() -> Profile | None:
        visit = getattr(request, "visit", None)
        current: Profile | None = visit.profile if visit else None
        return current

    return {"profile": profile}
