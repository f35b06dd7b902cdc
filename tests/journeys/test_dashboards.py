"""Dashboards in a real browser: drawn, explained, readable on a phone, and without barriers."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from tests.webapp.metrics.conftest import Sitting
from webapp.experiments.lifecycle import built_in, start
from webapp.metrics.daily import refresh
from webapp.pages.dashboards.serving import PAGES
from webapp.profiles.models import Profile

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
PASSWORD = "a long password"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def profile(films):
    """A week of simulated visits in both arms of an experiment, counted; one of a profile."""
    now = timezone.now()
    experiment = built_in()
    start(experiment, now - timedelta(days=8))
    User.objects.create_user("operator", password=PASSWORD, is_staff=True, is_superuser=True)
    viewer = User.objects.create_user("viewer", password=PASSWORD)
    profile = Profile.objects.create(account=viewer, name="Ana")
    for day in range(1, 8):
        for n, arm in enumerate(("session-aware", "long-term-only")):
            visit = Sitting(
                profile if day == 1 else None,
                now - timedelta(days=day),
                is_simulated=True,
                experiment=experiment.name,
                arm=arm,
            )
            home = visit.slate(rows=[("trending", films[:8])], liked=day)
            for slot in range(4):
                visit.see(films[slot], slot, home, slot=slot)
            visit.event("search", at=9, surface="search", query="solaris", value="submit")
            if (day + n) % 3:
                visit.watch(films[1], at=20 + day, seconds=300)
    refresh(now)
    return profile


def log_in(page, name):
    page.goto("/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/profiles/**")


def test_every_dashboard_is_drawn_and_has_no_barriers(page, profile, complaints, barriers):
    log_in(page, "operator")
    visit = profile.visits.first()
    addresses = [*(reverse(name) for name in PAGES), "/staff/people/?q=Ana"]
    addresses += [
        f"/staff/people/{profile.pk}/",
        f"/staff/people/{profile.pk}/visits/{visit.pk}/",
    ]
    for address in addresses:
        for size in ({"width": 1280, "height": 800}, PHONE):
            page.set_viewport_size(size)
            response = page.goto(address)
            assert response.status == 200, address
            assert barriers(page) == "", address
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{address} is wider than a screen of {size['width']}"
        plots, drawn = page.locator("[data-chart]").count(), page.locator(".u-wrap canvas").count()
        assert plots == drawn, address
    assert complaints == []


def test_a_chart_explains_itself_tells_its_numbers_and_gives_a_file(page, profile):
    log_in(page, "operator")
    page.goto("/staff/")
    assert page.locator("text=simulated viewers, not people").is_visible()
    chart = page.locator("#chart-abandonment")
    explanation = chart.locator("[role=tooltip]")
    assert not explanation.is_visible()
    chart.get_by_role("button", name="What is this?").focus()
    assert explanation.is_visible()
    page.keyboard.press("Escape")
    assert not explanation.is_visible()
    assert not chart.locator(".scroller tbody tr").first.is_visible()
    chart.locator("summary").click()
    expect(chart.locator(".scroller tbody tr")).to_have_count(30)
    with page.expect_download() as download:
        chart.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.startswith("marquee-abandonment-simulated-")


def test_a_chart_labels_a_value_as_its_table_does(page, profile):
    log_in(page, "operator")
    page.goto("/staff/?days=7")
    chart = page.locator("#chart-abandonment")
    cells = chart.locator(".scroller tbody tr").nth(3).locator("td").all_text_contents()
    chart.locator(".u-over").hover()
    assert (
        chart.locator(".u-legend .u-series:not([hidden]) .u-value").all_text_contents()[1]
        == cells[0]
    )
    ticks = page.evaluate(
        "JSON.parse(document.getElementById('abandonment').textContent).ticks.map((t) => t.label)"
    )
    assert ticks[0] == "0 %"
    assert len(ticks) > 2


def test_filters_are_links_that_stay(page, profile):
    log_in(page, "operator")
    page.goto("/staff/")
    page.get_by_role("link", name="7 days").click()
    page.get_by_role("link", name="session-aware/long-term-only").click()
    chosen = re.compile(r"days=7.*long-term-only")
    expect(page).to_have_url(chosen)
    expect(page.locator("#chart-abandonment .scroller tbody tr")).to_have_count(7)
    page.get_by_role("link", name="Search", exact=True).click()
    expect(page).to_have_url(re.compile(r"/search/.*days=7.*long-term-only"))


def test_without_scripts_every_number_is_there(browser, live_server, profile):
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    page = context.new_page()
    log_in(page, "operator")
    page.goto("/staff/")
    assert page.locator("#chart-abandonment table tbody tr").first.is_visible()
    context.close()


def test_viewers_are_refused_in_words(page, profile):
    log_in(page, "viewer")
    assert page.goto("/staff/").status == 403
    assert page.locator("h1").is_visible()
