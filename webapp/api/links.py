"""Links of the API's schema: what one answer holds that another call takes.

`SPECTACULAR_SETTINGS` names `add_links`, for drf-spectacular describes none by itself. Clients may
follow them; so does `script/benchmark fuzz`, which makes sequences of calls by them.
"""

from typing import Any

SEARCHED = {
    "id": "{$response.body#/slate}",
    "kind": "search",
    "occurred_at": "2026-03-01T20:15:00Z",
    "surface": "search",
    "slate": "{$response.body#/slate}",
    "value": "submit",
    "query": "{$response.body#/query}",
}
OF_ANSWERS: dict[str, Any] = {
    "report": {
        "operationId": "events_create",
        "requestBody": {"events": [SEARCHED]},
        "description": "What happens to an answer is reported as events that name its slate.",
    },
    "find_all": {
        "operationId": "search_retrieve",
        "parameters": {"q": "$response.body#/query"},
        "description": "All that a text finds, of which /suggest shows the first.",
    },
    "forget": {
        "operationId": "searches_destroy",
        "parameters": {"q": "$response.body#/recent/0"},
        "description": "A recent search can be forgotten.",
    },
}
THEN_SUGGEST = {
    "suggest": {
        "operationId": "suggest_retrieve",
        "description": "The next answer knows of it.",
    }
}
LINKS = {
    ("/api/v1/search", "get"): OF_ANSWERS,
    ("/api/v1/suggest", "get"): OF_ANSWERS,
    ("/api/v1/searches", "delete"): THEN_SUGGEST,
    ("/api/v1/events", "post"): THEN_SUGGEST,
}
"""By path and method, the links of the answer that is a success."""


def add_links(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Add `LINKS` to a generated schema (a post-processing hook of drf-spectacular)."""
    for (path, method), links in LINKS.items():
        responses = result["paths"][path][method]["responses"]
        next(value for status, value in responses.items() if status.startswith("2"))["links"] = (
            links
        )
    return result
