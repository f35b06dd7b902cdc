"""Every address, as another profile, a stranger and a guest call it.

A new address has to say in `RULES` whose it is, and how to call it; nothing else is needed here.
Every address is then called by everyone: what it answers must not depend on what the owner did, and
what the owner did must stay as it is.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from benchmarks.hostile import routes
from webapp.catalog.models import Genre, Title
from webapp.engine.live import holder
from webapp.events.ingest import EventDraft, record_events
from webapp.events.models import Visit
from webapp.events.visits import current_visit
from webapp.profiles.export import owned_rows
from webapp.profiles.models import Profile, Rating
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db

PUBLIC, OWN, ACCOUNT, STAFF = "public", "own", "account", "staff"
HOW_TO = f"""
Add it to RULES in {__file__}:
  PUBLIC   anyone may call it, guests too; of a viewer it shows and changes the caller's own alone
  OWN      it is about who watches; guests are sent to the login
  ACCOUNT  its address names a profile, of the caller's own account alone
  STAFF    for operators; addresses below staff/ and admin/ are taken for that without a word
with what stands in its address ("pk" of a "title", say) and the form it takes, if any.
"""


@dataclass(frozen=True)
class Rule:
    """Who may call an address, and how it is called.

    Attributes:
        who: one of `PUBLIC`, `OWN`, `ACCOUNT`, `STAFF`.
        args: parts of the address, each by its name in `World.parts`.
        form: what a POST sends; values that name one of `World.parts` are replaced by it.
        query: what a GET asks.
        is_json: whether the form is a body of JSON.
    """

    who: str
    args: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, object] = field(default_factory=dict)
    query: str = ""
    is_json: bool = False


TITLE, PROFILE = {"pk": "title"}, {"pk": "profile"}
EVENT = {
    "id": "event", "kind": "open", "title": "title", "occurred_at": "now", "slate": "slate",
}  # fmt: skip
RULES = {
    "": Rule(PUBLIC),
    "rows/<uuid:slate>/": Rule(PUBLIC, {"slate": "slate"}),
    "title/<int:pk>/": Rule(PUBLIC, TITLE),
    "title/<int:pk>/<slug:slug>/": Rule(PUBLIC, {**TITLE, "slug": "title_slug"}),
    "watch/<int:pk>/": Rule(PUBLIC, TITLE),
    "watch/<int:pk>/stopped/": Rule(PUBLIC, TITLE, {"minutes": "40"}),
    "controls/<int:pk>/": Rule(PUBLIC, TITLE),
    "preview/<int:pk>/": Rule(PUBLIC, TITLE),
    "search/": Rule(PUBLIC, query="q=number"),
    "search/forget/": Rule(PUBLIC, form={"q": "western"}),
    "person/<int:pk>/": Rule(PUBLIC, {"pk": "person"}),
    "person/<int:pk>/<slug:slug>/": Rule(PUBLIC, {"pk": "person", "slug": "person_slug"}),
    "genre/<slug:slug>/": Rule(PUBLIC, {"slug": "genre_slug"}),
    "my-list/": Rule(OWN),
    "history/": Rule(OWN),
    "welcome/": Rule(OWN, form={"title": "title"}),
    "thumb/<int:pk>/": Rule(OWN, TITLE, {"value": "down"}),
    "list/<int:pk>/": Rule(OWN, TITLE, {"value": "remove"}),
    "hide/<int:pk>/": Rule(OWN, TITLE, {"value": "show"}),
    "resume/<int:pk>/": Rule(OWN, TITLE, {"value": "restore"}),
    "forget/<int:pk>/": Rule(OWN, TITLE, {"value": "remove"}),
    "refuse/person/<int:pk>/": Rule(OWN, {"pk": "person"}, {"value": "allow"}),
    "refuse/genre/<int:pk>/": Rule(OWN, {"pk": "genre"}, {"value": "allow"}),
    "not-now/person/<int:pk>/": Rule(PUBLIC, {"pk": "person"}, {"value": "not_now"}),
    "not-now/genre/<int:pk>/": Rule(PUBLIC, {"pk": "genre"}, {"value": "not_now"}),
    "profiles/": Rule(OWN, form={"name": ""}),
    "profiles/<int:pk>/": Rule(ACCOUNT, PROFILE, {"name": "Anna", "maturity_limit": ""}),
    "profiles/<int:pk>/switches/": Rule(ACCOUNT, PROFILE, {"is_personalized": "on"}),
    "profiles/<int:pk>/data/": Rule(ACCOUNT, PROFILE),
    "profiles/<int:pk>/delete/": Rule(ACCOUNT, PROFILE, {"confirmed": "yes"}),
    "profiles/<int:pk>/choose/": Rule(ACCOUNT, PROFILE, {"next": "/profiles/"}),
    "account/password/": Rule(OWN, form={"old_password": "a guess"}),
    "account/second-factor/": Rule(OWN),
    "account/sessions/end/": Rule(OWN),
    "account/delete/": Rule(OWN, form={"confirmed": "yes"}),
    "login/": Rule(PUBLIC, form={"username": "ana", "password": "a guess"}),
    "logout/": Rule(PUBLIC),
    "admin/login/": Rule(OWN, form={"username": "ana", "password": "a guess"}),
    "admin/password_change/": Rule(PUBLIC),
    "posters/<int:pk>.svg": Rule(PUBLIC, TITLE),
    "backdrops/<int:pk>.svg": Rule(PUBLIC, TITLE),
    "healthz": Rule(PUBLIC),
    "readyz": Rule(PUBLIC),
    "metrics": Rule(STAFF),
    "api/v1/events": Rule(PUBLIC, form={"events": [EVENT]}, is_json=True),
    "api/v1/search": Rule(PUBLIC, query="q=number"),
    "api/v1/suggest": Rule(PUBLIC, query="q=num"),
    "api/v1/searches": Rule(PUBLIC),
    "api/v1/schema": Rule(PUBLIC),
}
SHOWS_THE_OWNER = {"", "my-list/", "history/", "title/<int:pk>/<slug:slug>/", "watch/<int:pk>/"}
"""Where the owner must see a difference, else this test would see none anywhere."""


def is_for_staff(route: str) -> bool:
    return route.startswith(("admin/", "staff/")) and route not in RULES


@dataclass
class World:
    """The cast, and what addresses and forms are filled with: all of it the owner's."""

    parts: dict[str, object]
    log_in: Callable[[str], Client]

    def call(self, client: Client, route: str, method: str) -> object:
        rule = RULES.get(route, Rule(STAFF))
        address = f"/{self._filled(route, rule.args)}"
        cache.clear()  # how often one may try is tested elsewhere
        if method == "get":
            return client.get(f"{address}?{rule.query}" if rule.query else address)
        form = self._of(rule.form)
        if rule.is_json:
            return client.post(address, form, content_type="application/json")
        return client.post(address, form)

    def tried(self, client: Client, route: str, method: str) -> Iterator[object]:
        """Yield the answer, then undo all that the call did, to the client's log-in too."""
        cookies = copy(client.cookies)
        with transaction.atomic():
            yield self.call(client, route, method)
            transaction.set_rollback(True)
        client.cookies = cookies

    def _of(self, value: object) -> object:
        if isinstance(value, Mapping):
            return {name: self._of(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._of(one) for one in value]
        return self.parts.get(value, value) if isinstance(value, str) else value

    def _filled(self, route: str, args: Mapping[str, str]) -> str:
        """The address, with any number or word where nothing is said: staff's ask for no more."""
        route = re.sub(r"\(\?P<\w+>(\w+)[^)]*\)", r"\1", route).strip("^$").replace("$", "")
        route = re.sub(r"\(\?P<\w+>\.\*\)", "any", route)

        def part(found: re.Match[str]) -> str:
            kind, name = found[1], found[2]
            if name in args:
                return str(self.parts[args[name]])
            return {"int": "1", "uuid": str(UUID(int=1))}.get(kind, "any")

        return re.sub(r"<(?:(\w+):)?(\w+)>", part, route)


@pytest.fixture
def world(cast, films, release, now, log_in):
    def as_(who: str) -> Client:
        client = Client()
        if who != "guest":
            log_in(client, getattr(cast, who))
            client.get("/healthz")
        return client

    visit = live_fully(cast.owner, films, now)
    return World(
        {
            "title": films[0].pk, "title_slug": films[0].slug, "profile": cast.owner.pk,
            "person": films[0].people.first().pk, "genre": Genre.objects.get(slug="western").pk,
            "person_slug": films[0].people.first().slug,
            "genre_slug": "western", "event": str(UUID(int=7)), "now": now.isoformat(),
            "slate": str(Slate.objects.get(visit=visit.id).pk),
        },
        as_,
    )  # fmt: skip


def live_fully(owner, films, now, first=0):
    """The owner watches, rates, keeps, hides, refuses and searches, and was shown a page."""
    visit = current_visit(None, owner, now - timedelta(minutes=9))
    Visit.objects.get_or_create(id=visit.id, defaults=visit.columns)
    slate = Slate.objects.create(
        visit_id=visit.id, surface="home", created_at=now, took_ms=1, rows=[
            {"kind": "top_picks", "key": None, "heading": "Top", "titles": [films[first].pk],
             "scores": [1.0], "pinned": 0}
        ],
    )  # fmt: skip

    def event(kind, title, **fields):
        title_id = title.pk if title else None
        return EventDraft(uuid4(), kind, title_id, now, slate_id=slate.pk, **fields)

    western = Genre.objects.get(slug="western" if first == 0 else "romance")
    told = [
        event("progress", films[first], position_seconds=1800 + first, duration_seconds=6000),
        event("thumb", films[first], value="love" if first == 0 else "down"),
        event("list", films[first], value="add"),
        event("hide", films[first + 2], value="hide"),
        event("resume", films[first + 3], value="remove"),
        event("forget", films[first + 4], value="remove"),
        event("search", None, query=f"western {first}", value="submit"),
        event("genre", None, value="refuse", subject=western.pk),
    ]
    if first == 0:
        leone = films[0].people.first().pk
        told.append(event("person", None, value="refuse", subject=leone))
    assert not record_events(visit, told, now).errors
    return visit


def live_otherwise(owner, films, now):
    """All that the owner did is undone, and something else done, with as many ratings."""
    for rows in owned_rows(owner).values():
        rows.delete()
    live_fully(owner, films, now, first=20)
    Rating.objects.filter(profile=owner).delete()
    Rating.objects.create(profile=owner, title=films[0], stars=1, rated_at=now)


def told_to(client, world, route):
    """What both methods answer, without what is new in every answer."""
    answers = []
    for method in ("get", "post"):
        for answer in world.tried(client, route, method):
            body = answer.getvalue()
            answers.append((answer.status_code, answer.headers.get("Location"), unchanging(body)))
    return answers


def unchanging(body: bytes) -> str:
    text = body.decode(errors="replace")
    text = re.sub(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", "an id", text)
    text = re.sub(r'(csrfmiddlewaretoken" value|data-csrf)="\w+"', r"\1", text)
    text = re.sub(r'src="data:image[^"]+"|<code>[A-Z2-7]{32}</code>', "a second factor's key", text)
    return re.sub(r'"took_ms":\s*[\d.]+', "", text)


def test_every_address_says_whose_it_is():
    known = set(routes())
    unsaid = sorted(route for route in known - RULES.keys() if not is_for_staff(route))
    assert unsaid == [], f"Whose are these addresses?\n{HOW_TO}"
    assert RULES.keys() - known == set(), "These addresses are no more: take their rules away."


def test_guests_strangers_and_viewers_are_let_in_where_they_belong(world):
    wrong = []
    for actor in ("guest", "stranger", "owner"):
        client = world.log_in(actor)
        for route, method in product(routes(), ("get", "post")):
            who = STAFF if is_for_staff(route) else RULES[route].who
            for answer in world.tried(client, route, method):
                if not is_right(answer, who, actor):
                    wrong.append((method, route, actor, answer.status_code))
    assert wrong == []


def is_right(answer, who, actor):
    status, location = answer.status_code, answer.headers.get("Location", "")
    if status >= 500:
        return False
    if status == 405:
        return True
    is_sent_to_login = status == 302 and "/login/" in location
    if who == PUBLIC:
        return not is_sent_to_login
    if who == STAFF:
        return is_sent_to_login or status == 403 or (status, location) == (302, "/admin/")
    if actor == "guest":
        return is_sent_to_login
    return status == 404 if who == ACCOUNT and actor == "stranger" else status != 404


def test_what_others_read_does_not_depend_on_what_the_owner_did(
    world, cast, films, now, monkeypatch
):
    still = SimpleNamespace(now=lambda: now)  # chance is seeded by the moment
    monkeypatch.setattr("webapp.events.clock.timezone", still)
    clients = {who: world.log_in(who) for who in ("guest", "sibling", "stranger", "owner")}
    open_routes = [route for route in routes() if not is_for_staff(route)]
    before = {
        (who, route): told_to(client, world, route)
        for who, client in clients.items()
        for route in open_routes
    }
    live_otherwise(cast.owner, films, now)
    changed = {
        (who, route)
        for (who, route), answer in before.items()
        if told_to(clients[who], world, route) != answer
    }
    assert {pair for pair in changed if pair[0] != "owner"} == set()
    assert SHOWS_THE_OWNER - {route for _, route in changed} == set()


def test_what_others_do_changes_nothing_of_the_owner(world, cast):
    def kept():
        return {name: list(rows.values()) for name, rows in owned_rows(cast.owner).items()}

    before, wrong = kept(), []
    assert all(before[name] for name in ("events", "slates", "visits", "ratings", "list_entries"))
    for actor in ("guest", "sibling", "stranger"):
        client = world.log_in(actor)
        for route, method in product(routes(), ("get", "post")):
            for answer in world.tried(client, route, method):
                is_refused = is_for_staff(route) and answer.status_code in (302, 403, 405)
                if not is_refused and kept() != before:
                    wrong.append((method, route, actor))
    assert kept() == before
    assert wrong == []


def test_a_profile_with_a_limit_sees_nothing_above_it_at_any_address(world, cast, films, now):
    live_fully(cast.sibling, films, now)
    Title.objects.exclude(pk=films[0].pk).update(maturity=6)
    Profile.objects.filter(pk=cast.sibling.pk).update(maturity_limit=6)
    holder.forget()  # no title was saved, so the process would not look for changes
    client, seen = world.log_in("sibling"), []
    for route, method in product(routes(), ("get", "post")):
        is_about_it = RULES.get(route, Rule(STAFF)).args.get("pk") in ("title", "person")
        for answer in world.tried(client, route, method):
            if b"The Good, the Bad" in answer.getvalue():
                seen.append((method, route))
            if is_about_it and answer.status_code not in (404, 405):
                seen.append((method, f"{route} {answer.status_code}"))
    assert seen == []
    assert films[0].name in world.log_in("owner").get("/history/").content.decode()
