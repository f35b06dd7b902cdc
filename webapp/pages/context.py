"""Template context of every page. Nothing is read until a template uses it."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from webapp.events.middleware import visit_of
from webapp.profiles.models import Profile


def viewer(request: HttpRequest) -> "dict[str, SimpleLazyObject[Profile | None]]":
    """Return the current profile as a lazy `profile`, false for an anonymous visitor."""

    def profile() -> Profile | None:
        return visit_of(request).profile if hasattr(request, "lazy_visit") else None

    return {"profile": SimpleLazyObject(profile)}
