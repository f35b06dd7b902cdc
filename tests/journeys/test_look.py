"""How pages look and feel: posters, rows, previews, and no barrier for anyone."""

import pytest
from playwright.sync_api import expect

from tests.journeys.waiting import until
from webapp.catalog.models import Title
from webapp.profiles.models import ListEntry, Rating

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_a_catalogues_own_poster_that_does_not_come_gives_way_to_the_drawn_one(
    transactional_db, page, live_server, films
):
    broken = f"{live_server}/static/gone.jpg"
    Title.objects.update(poster_url=broken)
    page.goto("/genre/western/")
    for card in (page.locator(".card").first, page.locator(".card").last):
        card.scroll_into_view_if_needed()
        expect(card.locator("img")).not_to_have_attribute("src", broken)
        assert "/posters/" in card.locator("img").get_attribute("src")
        page.wait_for_function(
            "i => i.complete && i.naturalWidth", arg=card.locator("img").element_handle()
        )


def test_a_catalogues_own_poster_comes_first(transactional_db, page, live_server, films):
    own = f"{live_server}/static/favicon.svg"
    Title.objects.update(poster_url=own)
    page.goto(films[0].get_absolute_url())
    poster = page.locator("img.title-poster")
    page.wait_for_function("i => i.complete && i.naturalWidth", arg=poster.element_handle())
    expect(poster).to_have_attribute("src", own)


def test_a_titles_data_for_search_engines_passes_the_policy(
    transactional_db, page, complaints, release, films
):
    page.goto(films[0].get_absolute_url())
    told = page.evaluate(
        "JSON.parse(document.querySelector('[type=\"application/ld+json\"]').text)"
    )
    assert told["potentialAction"]["@type"] == "WatchAction"
    assert complaints == []


def enter(page, cast):
    """Log in and choose who watches."""
    page.goto("/login/")
    page.get_by_label("Name").fill(cast.owner.account.username)
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name=cast.owner.name).first.click()
    expect(page.locator("section.row").first).to_be_visible()


def first_row(page):
    return page.locator("section.row").first


def left_of(row):
    return row.locator(".slots").evaluate("slots => slots.scrollLeft")


def test_a_row_moves_by_its_buttons_which_show_only_where_there_is_more(
    transactional_db, page, complaints, release
):
    page.set_viewport_size({"width": 800, "height": 900})
    page.goto("/")
    row = first_row(page)
    back, on = row.locator(".scroll.back"), row.locator(".scroll.on")
    expect(back).to_be_hidden()
    on.click()
    expect(back).to_be_visible()
    while on.is_visible():
        on.focus()
        on.press("Enter")
        page.wait_for_timeout(700)
    assert page.evaluate("document.activeElement.className") == "scroll back"
    back.click()
    expect(on).to_be_visible()
    assert complaints == []


def test_a_row_moves_by_the_arrow_keys_home_and_end(transactional_db, page, complaints, release):
    page.goto("/")
    cards = first_row(page).locator(".card")
    cards.first.focus()
    page.keyboard.press("ArrowRight")
    expect(cards.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(cards.last).to_be_focused()
    expect(cards.last).to_be_in_viewport()
    page.keyboard.press("Home")
    expect(cards.first).to_be_focused()
    page.wait_for_function("() => !document.querySelector('.slots').scrollLeft")
    page.keyboard.press("ArrowDown")
    expect(page.locator("section.row").nth(1).locator(".card").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(cards.first).to_be_focused()
    assert complaints == []


def test_a_row_moves_by_the_wheel_and_the_page_goes_on_under_it(transactional_db, page, release):
    page.set_viewport_size({"width": 700, "height": 600})
    page.goto("/")
    row = first_row(page)
    row.scroll_into_view_if_needed()
    row.locator(".card").first.hover()
    page.mouse.wheel(300, 0)
    page.wait_for_function(
        "slots => slots.scrollLeft > 100", arg=row.locator(".slots").element_handle()
    )
    before = page.evaluate("scrollY")
    page.mouse.wheel(0, 200)
    page.wait_for_function("before => scrollY > before", arg=before)


def test_a_row_moves_under_a_finger(transactional_db, browser, live_server, release):
    context = browser.new_context(
        base_url=str(live_server),
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
    )
    page = context.new_page()
    page.goto("/")
    row = first_row(page)
    row.scroll_into_view_if_needed()
    box = row.locator(".slots").bounding_box()
    finger = context.new_cdp_session(page)
    for kind, places in (
        ("touchStart", [340]),
        *(("touchMove", [x]) for x in range(325, 30, -15)),
        ("touchEnd", []),
    ):
        points = [{"x": x, "y": box["y"] + 60} for x in places]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert until(page, lambda: left_of(row) > 100)
    expect(row.locator(".scroll.on")).to_be_hidden()
    row.locator(".card").nth(3).tap()
    expect(page.locator(".title-page h1")).to_be_visible()
    context.close()


def test_a_card_with_the_focus_opens_a_preview_that_is_worked_by_keyboard(
    transactional_db, page, complaints, cast, release
):
    enter(page, cast)
    card = first_row(page).locator(".card").nth(1)
    title = int(card.get_attribute("data-title"))
    first_row(page).locator(".card").first.focus()
    page.keyboard.press("ArrowRight")
    preview = page.locator(".preview")
    expect(preview).to_be_visible()
    expect(preview).to_have_attribute(
        "aria-label", f"About {card.locator('.card-name').inner_text()}"
    )
    expect(preview.locator(".why").first).to_have_text(card.get_attribute("data-why"))
    page.keyboard.press("Tab")
    expect(preview.get_by_role("link", name="Play")).to_be_focused()
    preview.get_by_role("button", name="My list").focus()
    page.keyboard.press("Enter")
    expect(preview.get_by_role("button", name="On my list")).to_be_visible()
    assert ListEntry.objects.get(profile=cast.owner).title_id == title
    preview.get_by_role("button", name="Love it").click()
    expect(preview.get_by_role("button", name="Love it")).to_have_attribute("aria-pressed", "true")
    assert Rating.objects.get(profile=cast.owner).title_id == title
    page.keyboard.press("Escape")
    expect(preview).to_be_hidden()
    assert complaints == []


def test_a_card_under_the_pointer_opens_a_preview_that_the_pointer_may_enter(
    transactional_db, page, complaints, release
):
    page.goto("/")
    card = first_row(page).locator(".card").nth(2)
    card.hover()
    preview = page.locator(".preview")
    expect(preview).to_be_visible()
    preview.get_by_role("link", name="Details").hover()
    page.wait_for_timeout(600)
    expect(preview).to_be_visible()
    page.mouse.move(5, 5)
    expect(preview).to_be_hidden()
    card.hover()
    expect(preview).to_be_visible()
    preview.get_by_role("link", name="Details").click()
    expect(page.locator(".title-page h1")).to_be_visible()
    expect(page.get_by_text("You found it in")).to_be_visible()
    assert complaints == []


def test_nothing_moves_for_those_who_want_it_so(transactional_db, browser, live_server, release):
    context = browser.new_context(base_url=str(live_server), reduced_motion="reduce")
    page = context.new_page()
    page.goto("/")
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((element) => {
            const { transitionDuration, animationName } = getComputedStyle(element);
            const isSlow = transitionDuration.split(", ").some((time) => parseFloat(time) > 0);
            return animationName !== "none" || isSlow;
        }).map((element) => element.className)"""
    )
    assert moving == []
    context.close()


def test_a_page_says_when_the_network_is_away_and_when_it_is_back(
    transactional_db, page, complaints, release
):
    page.goto("/")
    page.context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("You are offline")
    page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_answer_that_is_an_error_is_told_in_words(transactional_db, page, cast, release, films):
    enter(page, cast)
    page.goto(films[0].get_absolute_url())
    page.route("**/thumb/*/", lambda route: route.fulfill(status=429, body="slow down"))
    page.get_by_role("button", name="Love it").click()
    expect(page.get_by_role("alert")).to_contain_text("Wait a minute")
