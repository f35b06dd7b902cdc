"""The doors: log-in and password, how often they may be tried and by whom."""

import threading

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, make_password
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, RequestFactory
from rest_framework.settings import api_settings

from webapp.events.models import Visit
from webapp.hashing import BoundedHasher, BusyError
from webapp.limits import address_of
from webapp.pages.password import KNOWN_BROWSER_COOKIE, BrowserThrottle
from webapp.profiles.models import Profile, Session

pytestmark = pytest.mark.django_db

PASSWORD = "a long password"


@pytest.fixture
def proxies(monkeypatch):
    """A function that says how many proxies stand in front."""
    return lambda number: monkeypatch.setattr(api_settings, "NUM_PROXIES", number)


@pytest.fixture
def hashed(settings, monkeypatch):
    """Passwords are hashed as in production, in few rounds."""
    settings.PASSWORD_HASHERS = ["webapp.hashing.BoundedHasher"]
    monkeypatch.setattr(BoundedHasher, "iterations", 10)


def guess(client, username="ana", tried="a guess", **headers):
    return client.post("/login/", {"username": username, "password": tried}, headers=headers)


def statuses(guesses):
    return [answer.status_code for answer in guesses]


@pytest.mark.parametrize("door", ["/login/", "/admin/login/"])
def test_made_up_forwarded_addresses_do_not_help(cast, door):
    words = {"username": "ana", "password": "a guess", "next": "/admin/"}
    answers = []
    for n in range(30):
        client = Client(headers={"X-Forwarded-For": f"10.0.0.{n}, 10.1.1.{n}"})
        answers.append(client.post(door, words, follow=True).status_code)
    assert answers[-1] == (429 if door == "/login/" else 200)
    if door == "/admin/login/":
        assert "sessionid" not in client.cookies


def test_as_many_forwarded_addresses_are_believed_as_there_are_proxies(proxies):
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "9.9.9.9, 1.2.3.4, 5.6.7.8"})
    believed = []
    for number in (0, 1, 2):
        proxies(number)
        believed.append(address_of(request))
    assert believed == ["127.0.0.1", "5.6.7.8", "1.2.3.4"]


def test_behind_a_proxy_each_caller_has_a_limit_of_its_own(cast, proxies):
    proxies(1)
    first = {"X-Forwarded-For": "1.1.1.1"}
    assert statuses(guess(Client(), f"user {n}", **first) for n in range(21))[-1] == 429
    assert guess(Client(), "ana", PASSWORD, **{"X-Forwarded-For": "2.2.2.2"}).status_code == 302


def test_the_admin_has_no_log_in_of_its_own(client, cast):
    answer = client.post("/admin/login/", {"username": "op", "password": PASSWORD})
    assert (answer.status_code, answer.url) == (302, "/login/?next=/admin/")
    User.objects.create_user("op", password=PASSWORD, is_staff=True)
    assert client.get("/admin/").url == "/admin/login/?next=/admin/"
    there = {"username": "op", "password": PASSWORD, "next": "/admin/"}
    assert client.post("/login/", there).url == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/login/?next=/admin/").url == "/admin/"
    assert client.get("/admin/login/?next=https://evil.example/").url == "/admin/"


def test_a_viewer_is_not_let_into_the_admin(owner_client):
    assert owner_client.get("/admin/", follow=True).status_code == 403


def test_one_account_is_guessed_ten_times_a_minute_from_one_address(client, cast):
    assert statuses(guess(client) for _ in range(11)) == [200] * 10 + [429]
    assert guess(client, " ANA").status_code == 200, "a name of its own"
    assert guess(client, "ANA").status_code == 429, "the same account, spelled otherwise"
    assert guess(client, "bo", PASSWORD).status_code == 302


def test_one_account_is_guessed_from_many_addresses_sixty_times_an_hour(cast, proxies):
    proxies(1)

    def guess_from(n, **words):
        return guess(Client(), **words, **{"X-Forwarded-For": f"10.0.{n // 250}.{n % 250}"})

    assert set(statuses(guess_from(n) for n in range(60))) == {200}
    assert guess_from(61).status_code == 429
    assert guess_from(62, tried=PASSWORD).status_code == 429


def test_who_guesses_does_not_lock_the_owner_out(cast, proxies):
    """A browser that logged in before has a limit of its own."""
    proxies(1)
    own = Client()
    assert guess(own, tried=PASSWORD).status_code == 302
    own.post("/logout/")
    for n in range(61):
        guess(Client(), **{"X-Forwarded-For": f"10.0.0.{n}"})
    assert guess(Client(), tried=PASSWORD).status_code == 429
    assert guess(own, tried=PASSWORD).status_code == 302


def test_a_known_browser_is_limited_too_and_knows_one_account(cast, monkeypatch):
    monkeypatch.setattr(BrowserThrottle, "rate", "3/hour", raising=False)
    own = Client()
    guess(own, tried=PASSWORD)
    own.post("/logout/")
    assert statuses(guess(own) for _ in range(4)) == [200, 200, 200, 429]
    cache.clear()
    for _ in range(3):
        guess(Client(), "bo")
    assert guess(own, "bo", PASSWORD).status_code == 429


@pytest.mark.parametrize("cookie", ["", "made up", "a:b:c", "null:1:2"])
def test_a_made_up_browser_cookie_is_no_use(cast, cookie, monkeypatch):
    monkeypatch.setattr(BrowserThrottle, "rate", "1/hour", raising=False)
    client = Client()
    client.cookies[KNOWN_BROWSER_COOKIE] = cookie
    assert statuses(guess(client) for _ in range(2)) == [200, 429]


def test_the_password_that_is_asked_again_has_the_same_limits(owner_client, cast):
    form = {"confirmed": "yes", "password": "a guess"}
    address = "/account/delete/"
    assert statuses(owner_client.post(address, form) for _ in range(11)) == [403] * 10 + [429]
    assert guess(Client(), "ana", PASSWORD).status_code == 429, "at the other door as well"


@pytest.mark.usefixtures("hashed")
def test_so_many_hashes_are_computed_at_once(cast, monkeypatch):
    """A flood of log-ins takes one core of a process, and the others are told at once."""
    began, go_on = threading.Event(), threading.Event()
    encode = PBKDF2PasswordHasher.encode

    def slow(self, *args):
        began.set()
        assert go_on.wait(20)
        return encode(self, *args)

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", slow)
    first = threading.Thread(target=make_password, args=("first",))
    first.start()
    try:
        assert began.wait(20)
        refused = guess(Client(), "nobody", "a guess")
        assert (refused.status_code, refused["Retry-After"]) == (503, "2")
        assert "Try again in a moment" in refused.content.decode()
        client = Client()
        client.force_login(cast.owner.account)
        form = {"confirmed": "yes", "password": PASSWORD}
        assert client.post("/account/delete/", form).status_code == 503
        with pytest.raises(BusyError):
            make_password("second")
        assert client.get("/profiles/").status_code == 200
    finally:
        go_on.set()
        first.join()
    assert check_password("third", make_password("third"))


def test_hashes_of_before_are_still_read(settings):
    before = make_password("a password", hasher="default")
    settings.PASSWORD_HASHERS = ["webapp.hashing.BoundedHasher"]
    assert before.startswith("pbkdf2_sha256$1$")
    assert check_password("a password", before)


def test_a_session_whose_child_was_deleted_elsewhere_asks_for_the_password(client, cast, log_in):
    child = Profile.objects.create(account=cast.owner.account, name="Lu", maturity_limit=6)
    log_in(client, child)
    child.delete()
    choose = f"/profiles/{cast.owner.pk}/choose/"
    assert client.post(choose).status_code == 403
    assert client.post("/profiles/", {"name": "Grown up"}).status_code == 403
    assert client.post(f"/profiles/{cast.owner.pk}/", {"name": "Renamed"}).status_code == 403
    assert client.post(choose, {"password": PASSWORD}).url == "/"
    assert client.post(f"/profiles/{cast.sibling.pk}/choose/").url == "/"


def test_sessions_and_visits_outlive_a_change_of_the_key(client, cast, release, settings):
    guess(client, tried=PASSWORD)
    client.post(f"/profiles/{cast.owner.pk}/choose/")
    client.get("/")
    assert Visit.objects.count() == 1
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key that is long enough to be one"
    answer = client.get("/")
    assert f'data-viewer="{cast.owner.pk}"' in answer.content.decode()
    assert client.get("/my-list/").status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get("/my-list/").status_code == 200, "the session was signed anew"
    client.get("/")
    assert Visit.objects.count() == 1, "the visit's cookie too"


def test_a_changed_password_ends_all_other_sessions_and_not_this_one(client, cast):
    other = Client()
    for one in (client, other):
        one.post("/login/", {"username": "ana", "password": PASSWORD})
    new = "another long password"
    words = {"old_password": "a guess", "new_password1": new, "new_password2": new}
    assert client.post("/account/password/", words).status_code == 403
    assert other.get("/profiles/").status_code == 200
    answer = client.post("/account/password/", words | {"old_password": PASSWORD}, follow=True)
    assert "Everyone else is logged out." in answer.content.decode()
    assert client.get("/profiles/").status_code == 200
    assert other.get("/profiles/").status_code == 302
    assert Session.objects.filter(account=cast.owner.account).count() == 1
    assert guess(Client(), tried=PASSWORD).status_code == 200
    assert guess(Client(), tried=new).status_code == 302


def test_a_new_password_must_be_a_good_one(client, cast):
    client.force_login(cast.owner.account)
    words = {"old_password": PASSWORD, "new_password1": "12345678", "new_password2": "12345678"}
    answer = client.post("/account/password/", words)
    assert answer.status_code == 403
    assert "entirely numeric" in answer.content.decode()
    assert User.objects.get(username="ana").check_password(PASSWORD)


def test_the_old_password_is_guessed_as_seldom_as_at_the_log_in(client, cast):
    client.force_login(cast.owner.account)
    guesses = (client.post("/account/password/", {"old_password": "a guess"}) for _ in range(11))
    assert statuses(guesses) == [403] * 10 + [429]


def test_other_sessions_are_ended_and_only_those_of_the_account(client, cast):
    other, stranger = Client(), Client()
    for one in (client, other):
        one.force_login(cast.owner.account)
    stranger.force_login(cast.stranger.account)
    assert client.post("/account/sessions/end/").url == "/profiles/"
    seen = [one.get("/profiles/").status_code for one in (client, other, stranger)]
    assert seen == [200, 302, 200]


def test_a_child_does_not_log_the_others_out(client, cast, log_in):
    child = Profile.objects.create(account=cast.owner.account, name="Lu", maturity_limit=6)
    log_in(client, child)
    assert client.post("/account/sessions/end/").status_code == 403


def test_the_admin_changes_passwords_on_our_page(client):
    assert client.get("/admin/password_change/").url == "/account/password/"
