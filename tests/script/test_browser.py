"""The check reads a page as a viewer does, and says what is missing."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from browser import Browser, Page, Surprise, look_at_change, look_at_rows, search, title_to_play
from processes import free_port


def shelf(kind, heading, *titles):
    links = "".join(
        f'<a href="/title/{n}/" data-title="{n}"><svg><text>POSTER</text></svg><b>Film {n}</b></a>'
        for n in titles
    )
    return f'<section class="row wide" data-row="{kind}"><h2>{heading}</h2>{links}</section>'


HOME = [shelf("top_picks", "Top picks", 1, 2), shelf("trending", "Trending", 3)]
PLAYED = [
    shelf("continue_watching", "Continue watching", 1),
    shelf("because_watched", "Because you watched Film 1", 4),
]


def page(*parts):
    return Page("<!doctype html><meta charset=utf-8>" + "".join(parts))


def test_rows_have_a_kind_a_heading_and_titles():
    rows = page('<a data-title="9">elsewhere</a>', *HOME).rows
    assert [(row.kind, row.heading, row.titles) for row in rows] == [
        ("top_picks", "Top picks", [1, 2]),
        ("trending", "Trending", [3]),
    ]


def test_a_link_is_named_by_its_words_and_not_its_drawing():
    assert page(*HOME).names[2].strip() == "Film 2"


def test_forms_say_where_they_go_and_bring_their_token():
    form = page('<form action="/x/"><input name="csrfmiddlewaretoken" value="t"></form>')
    assert (form.actions, form.token) == (["/x/"], "t")


def test_results_are_read_in_order():
    found = page('<ul><li class="result"><a>The <b>Godfather</b></a><li class="result">Two</ul>')
    assert found.results[0] == "The Godfather"


def test_too_few_rows_are_a_surprise():
    with pytest.raises(Surprise, match="home has 2 rows"):
        look_at_rows(page(*HOME))


@pytest.mark.parametrize(
    ("first", "right"),
    [
        ("The Godfather 1972", True),
        ("The Godfather Part II 1974", False),
        ("Godfather, The", False),
    ],
)
def test_the_godfather_must_come_first(first, right):
    class Site:
        def get(self, path):
            return page(f'<li class="result">{first}</li>')

    site: Any = Site()
    if right:
        search(site)
    else:
        with pytest.raises(Surprise, match="puts"):
            search(site)


def test_a_title_is_chosen_that_is_not_watched_yet():
    assert title_to_play(page(PLAYED[0], *HOME)) == 2


class Redirecting(BaseHTTPRequestHandler):
    """Answers /old with a redirect and a cookie, and others by what they were sent."""

    def do_GET(self):
        if self.path == "/old":
            self.send_response(302)
            self.send_header("Location", "/new")
            self.send_header("Set-Cookie", "csrftoken=t")
            self.end_headers()
            return
        self.answer(200 if self.path == "/new" else 404, "<form action='/x/'></form>")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sent = {"token": self.headers.get("X-CSRFToken"), "body": body}
        self.answer(200, json.dumps(sent))

    def answer(self, status, text):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *words):
        """Keep the test's output quiet."""


def test_the_browser_follows_keeps_cookies_and_says_what_failed(monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}/")
    monkeypatch.delenv("no_proxy", raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as site:
        threading.Thread(target=site.serve_forever, args=(0.05,), daemon=True).start()
        browser = Browser(f"http://127.0.0.1:{site.server_port}/")
        assert browser.get("/old").actions == ["/x/"]
        assert browser.send("/events", [1]) == {"token": "t", "body": "[1]"}
        with pytest.raises(Surprise, match="GET /gone answered 404"):
            browser.get("/gone")
        site.shutdown()
    with pytest.raises(Surprise, match="/new does not answer"):
        browser.get("/new")


def test_home_must_change_and_say_why():
    before, after = page(*HOME), page(*PLAYED, *HOME)
    look_at_change(before, after, 1)
    with pytest.raises(Surprise, match="did not change"):
        look_at_change(before, before, 1)
    with pytest.raises(Surprise, match="not under continue_watching"):
        look_at_change(before, after, 2)
    with pytest.raises(Surprise, match="no because_watched row names 'Film 1'"):
        look_at_change(before, page(PLAYED[0], *HOME), 1)
    with pytest.raises(Surprise, match="no because_watched row names 'Film 1'"):
        look_at_change(before, page(PLAYED[0], shelf("because_watched", "", 4), *HOME), 1)
