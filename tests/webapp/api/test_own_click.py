"""What a viewer did is in the very next answer, whichever process gives it."""

import json
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener
from uuid import uuid4

import pytest

from tests.web_server import web_server
from webapp.engine.replay import replay
from webapp.slates.models import Slate

WORKERS = 3


class Site:
    """A real server of several processes, and one browser looking at it."""

    def __init__(self, address, log):
        self.address, self.log = address, log
        self.cookies = CookieJar()
        # by hand: no proxy stands before our own machine
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(self.cookies))

    def ask(self, path, body=None, **headers):
        request = Request(self.address + path, body, headers)  # noqa: S310 - our own address
        with self._opener.open(request, timeout=20) as response:
            return response.read().decode()

    def token(self):
        return next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")

    def tell(self, kind, title):
        at = datetime.now(UTC).isoformat()
        event = {"id": str(uuid4()), "kind": kind, "title": title.pk, "occurred_at": at}
        headers = {"Content-Type": "application/json", "X-CSRFToken": self.token()}
        answer = self.ask("/api/v1/events", json.dumps({"events": [event]}).encode(), **headers)
        assert json.loads(answer)["accepted"] == 1

    def send(self, path, **fields):
        form = urlencode({**fields, "csrfmiddlewaretoken": self.token()}).encode()
        return self.ask(path, form)

    def workers_since(self, place):
        """The processes that answered after so many bytes of the log."""
        return {line.split()[0] for line in self.log.read_text()[place:].splitlines()}


@pytest.fixture
def site(transactional_db, visit_release, tmp_path):
    with web_server(tmp_path, processes=WORKERS, MARQUEE_ROW_SIZE="6") as server:
        yield Site(server.address, server.log)


def by_all_workers(site, path):
    """Ask until every process has answered since now; all answers."""
    place, answers = site.log.stat().st_size, []
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in range(30):
            answers += pool.map(site.ask, [path] * WORKERS)
            time.sleep(0.05)
            if len(site.workers_since(place)) == WORKERS:
                return answers
    raise AssertionError(f"of {WORKERS} processes only {site.workers_since(place)} answered")


def look(site):
    """What a browser sees before it did anything: the pages as they are for anyone."""
    return [site.ask("/"), found(site.ask("/api/v1/search")), found(site.ask(SEARCH))]


SEARCH = f"/api/v1/search?q={quote('number')}"


def found(answer):
    body = json.loads(answer)
    return [title["id"] for title in body["titles"] or body["suggestions"]]


def genre_of_most(ids, films):
    return Counter(film.genres.get().name for film in films if film.pk in ids).most_common(1)[0][0]


def row_of(page, kind):
    rows = dict(
        re.findall(r'<section class="row" data-row="(\w+)"(.*?)</section>', page, re.DOTALL)
    )
    return [int(id_) for id_ in re.findall(r'data-title="(\d+)"', rows.get(kind, ""))]


def log_in(site, profile):
    site.ask("/login/")
    site.send("/login/", username=profile.account.username, password="a long password")
    site.send(f"/profiles/{profile.pk}/choose/")


@pytest.mark.django_db(transaction=True)
def test_a_query_far_too_long_is_refused_in_words_through_the_server(site):
    with pytest.raises(HTTPError) as refused:
        site.ask(f"/api/v1/search?q={quote('é' * 10_000)}")
    assert refused.value.code == 400
    assert "this one has 10000" in refused.value.read().decode()
    refused.value.close()


@pytest.mark.django_db(transaction=True)
def test_every_process_shows_what_was_done_a_moment_ago(site, cast, films):
    """Without an account, then with one; each surface in its first answer, then from everyone."""
    site.ask("/login/")
    for clicked in (films[40], films[0]):
        before = look(site)
        assert "this_visit" not in before[0]
        site.tell("open", clicked)
        home, suggested, hits = look(site)
        genre = clicked.genres.get().name
        for page in (home, *by_all_workers(site, "/")):
            assert "Because of what you just opened" in page
            assert genre_of_most(row_of(page, "this_visit"), films) == genre
        for ids in (suggested, *map(found, by_all_workers(site, "/api/v1/search"))):
            assert ids != before[1]
            assert genre_of_most(ids[:6], films) == genre
        for ids in (hits, *map(found, by_all_workers(site, SEARCH))):
            assert ids != before[2]
            assert genre_of_most(ids[:6], films) == genre
        log_in(site, cast.owner)
    slates = Slate.objects.all()
    assert {slate.visit.profile for slate in slates} == {None, cast.owner}
    assert all(not slate.fallback_reason for slate in slates)
    assert [replay(slate).differences for slate in slates[:30]] == [[]] * 30
