"""A journey leaves nothing that comes late into the next one."""

import threading

import pytest
from django.core.signals import request_finished, request_started

from webapp.events.models import Event

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_what_a_page_tells_as_it_goes_does_not_come_after_its_end(
    transactional_db, browser, under_way, live_server, films
):
    """The browser is shared: what an abandoned search tells came into the next test's database."""
    for _ in range(3):
        context = browser.new_context(base_url=str(live_server))
        page = context.new_page()
        page.goto("/")
        page.get_by_role("combobox").press_sequentially("western")
        context.close()
    another = browser.new_context(base_url=str(live_server))
    another.new_page().goto("/")
    another.pages[0].wait_for_timeout(2000)  # so long it took to come
    under_way.wait_for_none()
    assert not Event.objects.filter(kind="search").exists()


def test_the_next_journey_waits_for_what_the_server_is_still_at(under_way):
    request_started.send(None)
    answered = threading.Event()

    def answer():
        answered.set()
        request_finished.send(None)

    threading.Timer(0.2, answer).start()
    under_way.wait_for_none()
    assert answered.is_set()
