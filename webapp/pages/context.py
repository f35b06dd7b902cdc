"""What every template may ask for; nothing is read until it does."""

from collections.abc import Callable

from django.http import HttpRequest

from webapp.profiles.models import Profile


def viewer(request: HttpRequest) -> dict[str, Callable[[], Profile | None]]:
    """The chosen profile as `profile`, None for a stranger; a template's use reads it."""

    def profile() -> Profile | None:
        visit = getattr(request, "visit", None)
        found: Profile | None = visit.profile if visit else None
        return found

    return {"profile": profile}
