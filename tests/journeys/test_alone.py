"""A journey leaves nothing that comes late into the next one."""

import threading
import time

import pytest

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
    under_way.wait_for_none()
    while_open = Event.objects.filter(kind="search").count()
    another = browser.new_context(base_url=str(live_server))
    another.new_page().goto("/")
    another.pages[0].wait_for_timeout(2000)  # so long it took to come
    under_way.wait_for_none()
    assert Event.objects.filter(kind="search").count() == while_open


def test_the_next_journey_waits_for_what_the_server_is_still_at(under_way):
    answered = threading.Event()
    answer = under_way.counted(lambda handler, application: time.sleep(0.2) or answered.set())
    request = threading.Thread(target=answer, args=(None, None))
    request.start()
    while not under_way.count:
        time.sleep(0.001)
    under_way.wait_for_none()
    assert answered.is_set()
    request.join()


def test_a_request_whose_browser_hung_up_is_not_waited_for(under_way):
    def hang_up(handler, application):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        under_way.counted(hang_up)(None, None)
    assert under_way.count == 0
