"""Work after an answer: done once it has left, by the same thread, and logged where it fails."""

import logging
import threading

import pytest
from django.http import HttpResponse

from webapp.after_response import AfterResponseMiddleware, after_response
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db


def test_it_waits_until_the_answer_has_left(rf):
    done = []

    def view(request):
        after_response(lambda: done.append(threading.get_ident()))
        return HttpResponse("an answer")

    response = AfterResponseMiddleware(view)(rf.get("/"))
    assert done == []
    response.close()
    assert done == [threading.get_ident()]


def test_it_is_done_at_once_where_nobody_waits_for_an_answer():
    done = []
    after_response(lambda: done.append(1))
    assert done == [1]


def test_what_fails_is_logged_and_the_rest_is_done(rf, caplog):
    done = []

    def view(request):
        after_response(lambda: 1 / 0)
        after_response(lambda: done.append(1))
        return HttpResponse("an answer")

    with caplog.at_level(logging.ERROR):
        AfterResponseMiddleware(view)(rf.get("/")).close()
    assert done == [1]
    assert "ZeroDivisionError" in caplog.text


def test_a_keystroke_is_answered_before_its_slate_is_written(
    release, owner_client, django_assert_num_queries
):
    owner_client.get("/api/v1/suggest?q=hi")
    answer = owner_client.get("/api/v1/suggest?q=high").json()
    slate = Slate.objects.get(pk=answer["slate"])
    assert slate.is_keystroke
    assert slate.snapshot == {"text": "high"}
    assert [title["id"] for title in answer["titles"]] == slate.rows[0]["titles"]
