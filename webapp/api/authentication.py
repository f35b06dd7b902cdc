"""Who calls the API from a browser: the session's account, or a stranger with a visit cookie."""

from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request


class VisitorAuthentication(SessionAuthentication):
    """Session login, with CSRF checked for strangers too: their visit cookie acts for them."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        self.enforce_csrf(request)
        user = getattr(request._request, "user", None)
        if user is None or not user.is_active:
            return None
        return user, None
