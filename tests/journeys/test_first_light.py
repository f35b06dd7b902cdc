"""One path through the house: from a click to a changed page, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.waiting import until
from webapp.events.models import Event

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def log_in(page, cast):
    page.goto("/")
    page.get_by_role("link", name="Log in").click()
    page.get_by_label("Name").fill(cast.owner.account.username)
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name=cast.owner.name).click()
    expect(page.locator("section.row").first).to_be_visible()


def test_a_viewer_plays_a_film_and_the_next_page_knows(
    transactional_db, page, complaints, cast, release, films, settings
):
    settings.ROW_SIZE = 6  # of sixty films, more would leave nothing to the rows below
    log_in(page, cast)
    assert page.locator("section.row").count() >= 3
    page.goto("/genre/western/")
    page.get_by_text("High Noon", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="High Noon")).to_be_visible()

    page.get_by_role("link", name="Play").click()
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => Number(document.querySelector('[data-seek]').value) >= 3")
    with page.expect_response(re.compile("/api/v1/events")):
        page.get_by_role("button", name="Pause").click()
    page.get_by_role("link", name="Home").last.click()

    rows = page.locator("section.row")
    expect(rows.nth(0).get_by_role("heading")).to_have_text("Continue watching")
    expect(rows.nth(0).locator(f"a[data-title='{films[1].pk}']")).to_be_visible()
    page.keyboard.press("End")
    expect(page.get_by_role("heading", name="Because you started High Noon")).to_be_visible()

    page.get_by_label("Search titles, people, genres").press_sequentially("casablnaca", delay=20)
    page.keyboard.press("Enter")
    expect(page.locator("li.result").first).to_contain_text("Casablanca")
    assert "q=casablnaca" in page.url
    page.locator("li.result a").first.click()
    expect(page.get_by_role("heading", level=1, name="Casablanca")).to_be_visible()
    kinds = Event.objects.values_list("kind", flat=True)
    assert until(page, lambda: {"open", "play", "stop", "choose"} <= set(kinds.all())), kinds
    assert complaints == []


def test_what_is_seen_for_a_second_is_an_impression_once(
    transactional_db, page, complaints, cast, release
):
    log_in(page, cast)
    page.mouse.wheel(0, 300)  # half of a card must be in view
    impressions = Event.objects.filter(kind="impression").values_list("slate_id", "title_id")
    assert until(page, lambda: impressions.count() >= 5)
    seen = list(impressions)
    assert len(seen) == len(set(seen))
    assert None not in {slate for slate, _ in seen}
    assert complaints == []


def test_everything_works_without_javascript(
    transactional_db, browser, live_server, cast, release, films, settings
):
    settings.ROW_SIZE = 6  # of sixty films, more would leave nothing to the rows below
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    page = context.new_page()
    log_in(page, cast)
    page.get_by_label("Search titles, people, genres").fill("hihg noon")
    page.get_by_role("button", name="Search").click()
    page.locator("li.result a").first.click()
    page.get_by_role("button", name="Love it").click()
    expect(page.get_by_role("button", name="Love it")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Play").click()
    page.get_by_label("Minutes watched").fill("25")
    page.get_by_role("button", name="I stopped here").click()
    expect(page.get_by_text("You are 25 of 100 minutes in.")).to_be_visible()
    page.get_by_role("link", name="Home").first.click()
    expect(page.get_by_role("heading", name="Continue watching")).to_be_visible()
    page.goto("/?rows=all")
    expect(page.get_by_role("heading", name="Top picks for Ana")).to_be_visible()
    context.close()


@pytest.mark.parametrize("address", ["/", "/search/?q=western", "/genre/western/", "/login/"])
def test_a_phone_scrolls_down_but_not_sideways(
    transactional_db, page, complaints, release, address
):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []
