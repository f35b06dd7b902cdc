"""A journey leaves nothing that comes late into the next one."""

import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from webapp.events.models import Event

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_what_a_page_sends_as_it_goes_does_not_come_after_its_end(
    transactional_db, browser, open_connections, live_server, films
):
    """The browser is shared: an abandoned search came into the next test's database."""
    for _ in range(3):
        context = browser.new_context(base_url=str(live_server))
        page = context.new_page()
        page.goto("/")
        page.get_by_role("combobox").press_sequentially("western")
        context.close()
    open_connections.wait_for_none(str(live_server))
    while_open = Event.objects.filter(kind="search").count()
    another = browser.new_context(base_url=str(live_server))
    another.new_page().goto("/")
    another.pages[0].wait_for_timeout(2000)  # so long it took to come
    another.close()
    open_connections.wait_for_none(str(live_server))
    assert Event.objects.filter(kind="search").count() == while_open


def test_the_end_of_a_journey_waits_for_connections_that_are_open(open_connections, live_server):
    address = urlsplit(str(live_server))
    client = socket.create_connection((address.hostname, address.port))
    closed = threading.Event()

    def close_later() -> None:
        time.sleep(0.2)
        closed.set()
        client.close()

    closing = threading.Thread(target=close_later)
    closing.start()
    open_connections.wait_for_none(str(live_server))
    assert closed.is_set()
    closing.join()


def test_a_connection_whose_thread_fails_is_not_waited_for(open_connections, live_server):
    def fail(server: object) -> None:
        raise BrokenPipeError

    open_connections.on_accepting(lambda server: None)(None)
    assert open_connections.count == 1
    with pytest.raises(BrokenPipeError):
        open_connections.on_serving(fail)(None)
    assert open_connections.count == 0
