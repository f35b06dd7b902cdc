"""The site's addresses, and the empty views that `benchmarks.requests` compares with."""

from django.http import HttpRequest, JsonResponse
from django.urls import include, path


def empty(request: HttpRequest) -> JsonResponse:
    return JsonResponse({})


def with_user(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"is_authenticated": request.user.is_authenticated})


urlpatterns = [
    path("benchmark/empty", empty),
    path("benchmark/user", with_user),
    path("", include("webapp.urls")),
]
