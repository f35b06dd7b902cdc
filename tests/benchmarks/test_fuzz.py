"""The short form of `script/benchmark fuzz`: nothing that is sent breaks the site."""

import logging
from datetime import UTC, datetime

import pytest
from django.test import Client

pytest.importorskip("threadpoolctl", reason="needs requirements-bench.txt")

from benchmarks.fuzz import SPARED, judged, known, schema
from benchmarks.hostile import CSRF, INJECTED, MARK, Attacker
from benchmarks.site import TOKEN
from benchmarks.small_site import CAST, Door

REQUESTS, SEED = 600, 1
EXAMPLES = 2
"""Of schemathesis, for each operation and phase."""


@pytest.fixture
def sessions(release, settings):
    settings.SIMULATION_TOKEN = TOKEN
    settings.CSRF_COOKIE_SECURE = settings.SESSION_COOKIE_SECURE = False
    sessions = Door().sessions()
    for session in sessions.values():
        assert Client(headers={"cookie": f"sessionid={session}"}).get("/").status_code == 200
    return sessions


def attacker():
    return Attacker(
        known(datetime.now(UTC)), ["guest", *(actor.name for actor in CAST)], SEED, SPARED
    )


@pytest.mark.django_db
def test_hostile_requests_find_nothing(sessions, caplog):
    client, attack, wrong = Client(raise_request_exception=False), attacker(), []
    for number in range(REQUESTS):
        request = attack.request(number)
        cookies = {"csrftoken": CSRF} | (
            {"sessionid": sessions[request.actor]} if request.actor in sessions else {}
        )
        answer = client.request(
            **request.environ(cookies)
            | {"HTTP_X_MARQUEE_SIMULATION": TOKEN, "HTTP_HOST": "testserver"}
        )
        head = "".join(f"{name}: {value}\r\n" for name, value in answer.items())
        raw = f"HTTP/1.1 {answer.status_code} x\r\n{head}\r\n".encode() + answer.getvalue()
        if finding := judged(raw)[1]:
            wrong.append((number, finding, request))
    assert wrong == []
    logged = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert [r.getMessage() for r in logged if not r.name.startswith("django.security")] == []


@pytest.mark.django_db
def test_a_number_makes_the_same_request_again(sessions):
    fixed = known(datetime(2026, 3, 1, tzinfo=UTC))
    first, second = (Attacker(fixed, ["guest", "viewer"], SEED) for _ in range(2))
    made = [first.request(number) for number in range(50)]
    assert [second.request(number) for number in range(50)] == made
    assert [Attacker(fixed, ["guest"], SEED + 1).request(n) for n in range(50)] != made
    assert len({request.route for request in made}) > 30


@pytest.mark.parametrize(
    ("answer", "status", "is_wrong"),
    [
        ("HTTP/1.1 200 OK\r\nA: b\r\n\r\nfine", "200", False),
        ("HTTP/1.1 500 No\r\nA: b\r\n\r\n", "500", True),
        ("HTTP/1.1 503 No\r\nA: b\r\n\r\n", "503", True),
        ("HTTP/1.1 503 No\r\nRetry-After: 2\r\n\r\n", "503 with Retry-After", False),
        (f"HTTP/1.1 302 Found\r\n{INJECTED}: 1\r\n\r\n", "302", True),
        (f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{MARK}", "200", True),
        (f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{MARK}", "200", False),
        ("", "nothing", True),
    ],
)
def test_what_is_wrong_with_an_answer_is_found(answer, status, is_wrong):
    found = judged(answer.encode())
    assert (found[0], bool(found[1])) == (status, is_wrong)


def test_the_api_answers_as_its_schema_says(transactional_db, sessions, live_server, tmp_path):
    cases, findings = schema(live_server.url, sessions["viewer"], tmp_path, SEED, EXAMPLES)
    assert findings == 0
    assert cases > 50
