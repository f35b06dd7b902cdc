"""Around all pages: probes, what cannot be read, what caches may keep, what the log keeps."""

import json
import re
import uuid
from datetime import timedelta
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from gunicorn.config import Config
from gunicorn.glogging import Logger

from benchmarks.hostile import routes
from tests.webapp.pages.test_who_may_what import RULES, world  # noqa: F401  a fixture
from webapp.events.models import Event
from webapp.pages.front import PROBES
from webapp.profiles.models import Profile

pytestmark = pytest.mark.django_db

DEEP = "[" * 5_000 + "]" * 5_000
CHARSETS = ["zlib", "hex", "rot13", "idna", "undefined", "utf-16", "no-such", "\xff", "a" * 5000,
            "utf-8; x*=no-such''a"]  # fmt: skip
NEXTS = ["1", "staff-models", "admin:index", "home", "javascript:alert(1)", "//evil.example", ""]


@pytest.mark.parametrize("probe", PROBES)
def test_probes_are_answered_whatever_the_host(client, release, settings, probe):
    settings.ALLOWED_HOSTS = ["films.example.org"]
    assert client.get(probe, headers={"host": "10.0.0.7:8000"}).status_code == 200
    assert client.get("/", headers={"host": "10.0.0.7:8000"}).status_code == 400
    assert client.post(probe, headers={"host": "10.0.0.7:8000"}).status_code == 405


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_charset_that_is_none_of_texts_is_refused_at_every_address(client, charset):
    for address in ("/", "/login/", "/api/v1/events", "/admin/login/", "/no/such/page/"):
        for content_type in ("application/x-www-form-urlencoded", "application/json"):
            answer = client.generic(
                "POST", address, b"q=1", content_type=f"{content_type}; charset={charset}"
            )
            assert answer.status_code == 400
            read = client.get(f"{address}?q=1", CONTENT_TYPE=f"text/plain; charset={charset}")
            assert read.status_code == 400
    assert (
        "UTF-8"
        in client.generic("POST", "/", b"x", f"text/html; charset={charset}").content.decode()
    )


def test_the_usual_charsets_are_read(client, release):
    for charset in ("utf-8", "UTF-8", "iso-8859-1", "us-ascii"):
        form = client.generic("POST", "/login/", b"next=1", f"text/plain; charset={charset}")
        assert form.status_code == 200


@pytest.mark.parametrize("way", NEXTS)
def test_next_is_a_path_of_this_site_or_nothing(client, cast, way):
    words = {"username": "bo", "password": "a long password", "next": way}
    cast.stranger.delete()
    assert client.post("/login/", words).url == "/profiles/"
    client.post("/profiles/", {"name": "New"})
    profile = Profile.objects.get(name="New")
    chosen = client.post(f"/profiles/{profile.pk}/choose/", {"next": way})
    assert (chosen.status_code, chosen.url) == (302, "/")
    assert client.get("/admin/login/", {"next": way}).status_code == 403


def send(client, body):
    body = body if isinstance(body, bytes) else body.encode()
    return client.generic("POST", "/api/v1/events", body, content_type="application/json")


@pytest.mark.parametrize(
    "body",
    [
        DEEP, f'{{"events": {DEEP}}}', f'{{"events": [{{"id": {"[" * 900}{"]" * 900}}}]}}',
        f'{{"events": [{{"kind": {"[" * 30}{"]" * 30}}}]}}', '{"a":' * 3000 + "1" + "}" * 3000,
        '{"events": [{"id": 1e999}]}', '{"events": [{"id": -1e999}]}', '{"events": [Infinity]}',
        '{"events": [{"slot": NaN}]}', "1" * 5000, b"\xff\xfe", b"", "null", "[]", '"text"', "7",
        '{"events": []}', '{"events": {}}', '{"events": null}', '{"events": [null, 1]}',
    ],
    ids=lambda body: str(body[:24]),
)  # fmt: skip
def test_a_body_nobody_can_mean_is_refused_in_words(client, body):
    answer = send(client, body)
    assert answer.status_code == 400
    assert answer.json()


def test_half_of_a_pair_costs_neither_the_batch_nor_the_answer(client, release, films):
    def event(**fields):
        now = timezone.now().isoformat()
        return {"id": str(uuid.uuid4()), "kind": "search", "occurred_at": now, **fields}

    events = [
        event(query="half an emoji \ud83d", value="submit"),
        event(kind="\ud800"),
        event(id="\udfff"),
        event(id=["x"] * 3),
        event(**{"\ud800": 1}, query="more", value="submit"),
    ]
    answer = send(client, json.dumps({"events": events}))
    assert answer.status_code == 200
    told = answer.json()
    assert told["accepted"] == 2
    assert [error["index"] for error in told["errors"]] == [1, 2, 3]
    assert [error["id"] for error in told["errors"]] == [events[1]["id"], None, None]
    assert set(Event.objects.values_list("query", flat=True)) == {"half an emoji \ufffd", "more"}


HOSTILE: dict[str, dict[str, Any]] = {
    "deep": {"data": DEEP.encode(), "content_type": "application/json"},
    "zlib": {"data": b"x", "content_type": "application/x-www-form-urlencoded; charset=zlib"},
    "query as zlib": {"CONTENT_TYPE": "text/plain; charset=zlib", "QUERY_STRING": "q=1&page=2"},
    "boundary": {"data": b"x", "content_type": "multipart/form-data; boundary="},
    "no form": {"data": b"\xff\0%", "content_type": "multipart/form-data; boundary=\xff"},
    "surrogates": {"data": b"q=%ED%A0%80&value=%ED%A0%80&name=%00&next=%ED%A0%80&title=%00",
                   "content_type": "application/x-www-form-urlencoded"},
    "many": {"data": b"&".join(b"a=1" for _ in range(2000)),
             "content_type": "application/x-www-form-urlencoded"},
    "cookies": {"HTTP_COOKIE": r'sessionid="\000abcdefghij"; marquee_visit="\000"; '
                               r'csrftoken="\000"; marquee_from="1:\000:\000:9"; '
                               r'marquee_browser="\377:a:b"'},
    "odd cookies": {"HTTP_COOKIE": "sessionid=\xff; marquee_visit=a:b:c; marquee_from=1:2:3:9"},
    "headers": {"HTTP_SEC_PURPOSE": "\xff", "HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "\xff",
                "HTTP_X_FORWARDED_FOR": "\xff" * 500, "HTTP_ACCEPT": "no/such;q=x",
                "HTTP_USER_AGENT": "\xff" * 3000, "HTTP_HX_CURRENT_URL": "http://[::1/x",
                "HTTP_REFERER": "http://[::1/x", "HTTP_RANGE": "bytes=9-1",
                "HTTP_X_MARQUEE_NOW": "x", "HTTP_IF_MODIFIED_SINCE": "never",
                "HTTP_ACCEPT_ENCODING": "gzip;q=\xff", "HTTP_AUTHORIZATION": "Bearer \xff"},
    "query": {"QUERY_STRING": "q=%00&page=%ED%A0%80&next=1&days=1e999&csv=%00&explain=%FF&arm=%00"},
    "numbers": {"QUERY_STRING": "q=1&page=" + "9" * 5000 + "&days=-1&visit=0"},
}  # fmt: skip


@pytest.mark.parametrize("who", ["guest", "owner"])
def test_no_address_breaks_on_a_hostile_request(world, who):  # noqa: F811
    wrong = []
    client = world.log_in(who)
    client.raise_request_exception = False
    for route, method, (name, how) in product(routes(), ("GET", "POST"), HOSTILE.items()):
        if route == "logout/":
            continue
        rule = RULES.get(route)
        address = "/" + world._filled(route, rule.args if rule else {})
        answer = client.generic(method, address, **how)
        if answer.status_code >= 500:
            wrong.append((method, route, name, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("address", ["/", "/my-list/", "/history/", "/profiles/", "/search/"])
def test_personal_pages_stay_out_of_caches(owner_client, release, address):
    answer = owner_client.get(address)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"


def test_what_is_nobodys_may_be_cached(client, release, films):
    assert "no-store" not in client.get(f"/posters/{films[0].pk}.svg").get("Cache-Control", "")
    assert client.get("/api/v1/search?q=noon")["Cache-Control"] == "private, no-store"


def test_the_schema_names_every_refusal_and_no_value_that_is_refused(client):
    schema = client.get("/api/v1/schema?format=json").json()
    for path, methods in schema["paths"].items():
        for method in methods.values():
            if isinstance(method, dict) and not path.endswith("/schema"):
                assert {"400", "403", "429", "503"} <= method["responses"].keys(), path
    [explain] = [p for p in schema["paths"]["/api/v1/search"]["get"]["parameters"]
                 if p["name"] == "explain"]  # fmt: skip
    assert explain["schema"]["enum"] == ["0", "1"]
    assert client.get("/api/v1/search?q=noon&explain=true").status_code == 400
    assert schema["components"]["schemas"]["Batch"]["properties"]["events"]["minItems"] == 1


def test_the_access_log_holds_no_query_and_no_referrer():
    """What was searched for is personal, and "forget this search" reaches no log."""
    environ = {
        "REQUEST_METHOD": "GET", "RAW_URI": "/search/?q=secret", "PATH_INFO": "/search/",
        "QUERY_STRING": "q=secret", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "1.2.3.4",
        "HTTP_REFERER": "http://localhost/search/?q=secret",
    }  # fmt: skip
    response: Any = SimpleNamespace(status="200 OK", sent=7, headers=[])
    request: Any = SimpleNamespace(headers=[])
    atoms = Logger(Config()).atoms(response, request, environ, timedelta(milliseconds=5))
    config = Path("webapp/gunicorn.py").read_text()
    [form] = re.findall(r"^access_log_format = '(.*)'$", config, re.MULTILINE)
    assert form % atoms == '1.2.3.4 "GET /search/ HTTP/1.1" 200 7 5ms'
