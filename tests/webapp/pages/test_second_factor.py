"""The second factor: set up, asked for at the log-in, and demanded of operators."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

pytestmark = pytest.mark.django_db

PASSWORD = "a long password"
ADDRESS = "/account/second-factor/"


@pytest.fixture
def account(db):
    return User.objects.create_user("op", password=PASSWORD, is_staff=True, is_superuser=True)


def code_of(account):
    """The current code, as if no earlier one had been used in this half minute."""
    TOTPDevice.objects.update(last_t=-1)
    return f"{totp(TOTPDevice.objects.get(user=account).bin_key):06d}"


def set_up(client, account):
    """Turn it on; return the recovery codes."""
    client.force_login(account)
    assert "QR code" in client.get(ADDRESS).content.decode()
    answer = client.post(ADDRESS, {"password": PASSWORD, "code": code_of(account)})
    assert answer.status_code == 200
    return re.findall(r"<code>(\w+)</code>", answer.content.decode())


def log_in(client, code="", **more):
    words = {"username": "op", "password": PASSWORD, "code": code, **more}
    return client.post("/login/", words)


def test_without_one_the_password_is_enough(client, account):
    assert log_in(client).status_code == 302


def test_once_it_is_on_a_log_in_needs_a_code_and_each_counts_once(client, account):
    codes = set_up(client, account)
    assert len(set(codes)) == 10
    assert "code is missing" in log_in(Client()).content.decode()
    code = code_of(account)
    assert log_in(Client(), code).status_code == 302
    assert log_in(Client(), code).status_code == 200, "seen over a shoulder"
    assert log_in(Client(), codes[0].upper()).status_code == 302
    assert StaticToken.objects.count() == 9


def test_a_recovery_code_counts_once(client, account):
    codes = set_up(client, account)
    assert log_in(Client(), codes[0]).status_code == 302
    assert log_in(Client(), codes[0]).status_code == 200


def test_it_says_nothing_of_codes_where_the_password_is_wrong(client, account):
    set_up(client, account)
    page = log_in(Client(), password="a guess").content.decode()
    assert "do not belong together" in page
    assert "code is missing" not in page


def test_it_is_set_up_with_password_and_code_alone_and_ends_other_sessions(client, account):
    other = Client()
    other.force_login(account)
    client.force_login(account)
    client.get(ADDRESS)
    for password, code in (("a guess", code_of(account)), (PASSWORD, "000000"), (PASSWORD, "x")):
        assert client.post(ADDRESS, {"password": password, "code": code}).status_code == 403
    assert not TOTPDevice.objects.filter(confirmed=True).exists()
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    set_up(client, account)
    assert client.get("/profiles/").status_code == 200
    assert other.get("/profiles/").status_code == 302


def test_it_is_taken_away_with_password_and_code(client, account):
    codes = set_up(client, account)
    assert client.post(ADDRESS, {"password": "a guess", "code": codes[0]}).status_code == 403
    assert client.post(ADDRESS, {"password": PASSWORD, "code": "nonsense"}).status_code == 403
    StaticToken.objects.get(token=codes[1]).device.throttle_reset()
    assert client.post(ADDRESS, {"password": PASSWORD, "code": codes[1]}).status_code == 302
    assert log_in(Client()).status_code == 302


def test_the_key_is_not_shown_once_it_is_on(client, account):
    set_up(client, account)
    assert "QR code" not in client.get(ADDRESS).content.decode()


@pytest.mark.parametrize("address", ["/admin/", "/staff/", "/staff/people/", "/staff/training/"])
def test_operators_set_one_up_first_where_the_setting_asks(client, account, settings, address):
    settings.STAFF_SECOND_FACTOR = True
    client.force_login(account)
    answer = client.get(address, follow=True)
    assert answer.redirect_chain[-1][0] == ADDRESS
    assert client.get("/metrics").status_code == 403
    set_up(client, account)
    assert client.get(address).status_code == 200
    assert client.get("/metrics").status_code == 200


def test_viewers_need_none(owner_client, settings):
    settings.STAFF_SECOND_FACTOR = True
    assert owner_client.get("/profiles/").status_code == 200
    assert owner_client.get("/staff/").status_code == 403
