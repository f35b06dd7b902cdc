"""The check reads a page as a viewer does, and says what is missing."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from browser import Page, Surprise, look_at_change, look_at_rows, search, status, title_to_play
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

    if right:
        search(Site())
    else:
        with pytest.raises(Surprise, match="puts"):
            search(Site())


def test_a_title_is_chosen_that_is_not_watched_yet():
    assert title_to_play(page(PLAYED[0], *HOME)) == 2


def test_a_proxy_is_not_asked_for_our_own_site(monkeypatch):
    class Unready(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(503)

        def log_message(self, *words):
            """Say nothing."""

    nobody = f"http://127.0.0.1:{free_port()}/"
    monkeypatch.setenv("http_proxy", nobody)
    monkeypatch.delenv("no_proxy", raising=False)
    assert status(nobody) is None
    with HTTPServer(("127.0.0.1", 0), Unready) as site:
        threading.Thread(target=site.handle_request, daemon=True).start()
        assert status(f"http://127.0.0.1:{site.server_port}/") == 503


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
