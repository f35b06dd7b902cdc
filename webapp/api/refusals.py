"""Answers of the API other than 2xx, for its schema: statuses in, their descriptions out."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse

WORDS = {
    400: "Something in the request is not allowed; the answer says what, by field or as `detail`.",
    403: "The CSRF token is missing or not the cookie's.",
    415: "The body is no JSON.",
    429: "Too many requests; `Retry-After` says when to go on.",
    503: "The site is resting or too busy; `Retry-After` says when to try again.",
}


def refusals(*statuses: int) -> dict[int, OpenApiResponse]:
    """Return the descriptions of these answers, and of 503, which every address may give."""
    return {
        status: OpenApiResponse(OpenApiTypes.OBJECT, description=WORDS[status])
        for status in (*statuses, 503)
    }
