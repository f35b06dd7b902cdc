"""Narrowing a list in a real browser: by keyboard, on a phone, without script, without barriers."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def known(transactional_db, release, films):
    return films


def menu_of(page, name):
    return page.locator("details.drop").filter(has=page.locator("summary", has_text=name))


def test_by_keyboard_a_menu_opens_chooses_closes_and_a_chip_takes_away(page, complaints, known):
    page.goto("/search/?q=number")
    expect(page.get_by_text("55 titles.")).to_be_visible()
    genres = menu_of(page, "Genre")
    genres.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(genres.get_by_role("link", name="Western 18 titles")).to_be_visible()
    page.keyboard.press("Escape")
    expect(genres.get_by_role("link")).to_have_count(0)
    expect(genres.locator("summary")).to_be_focused()
    page.keyboard.press("Space")
    link = genres.get_by_role("link", name="Western 18 titles")
    expect(link).to_be_visible()
    while not link.evaluate("link => link === document.activeElement"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('details.drop') !== null")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=number&genre=Western")
    expect(page.get_by_text("18 titles.")).to_be_visible()
    expect(page.locator("ul[data-row=results] > li")).to_have_count(18)

    decades = menu_of(page, "Decade")
    decades.locator("summary").focus()
    page.keyboard.press("Enter")
    decades.get_by_role("link", name=re.compile("1960s")).focus()
    page.keyboard.press("Enter")
    chips = page.get_by_role("list", name="Chosen filters").get_by_role("link")
    expect(chips).to_have_text([re.compile("Western"), re.compile("1960s"), "Clear all filters"])
    page.get_by_role("link", name="Without Western").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=number&decade=1960s")
    expect(chips).to_have_text([re.compile("1960s")])
    page.go_back()
    expect(chips).to_have_count(3)
    assert complaints == []


def test_one_menu_is_open_at_a_time_and_a_click_elsewhere_closes_it(page, known):
    page.goto("/search/?q=number")
    genres, decades = menu_of(page, "Genre"), menu_of(page, "Decade")
    genres.locator("summary").click()
    expect(genres.locator("ul")).to_be_visible()
    decades.locator("summary").click()
    expect(decades.locator("ul")).to_be_visible()
    expect(genres.locator("ul")).to_be_hidden()
    page.get_by_role("heading", level=1).click()
    expect(decades.locator("ul")).to_be_hidden()


def test_on_a_phone_a_menu_is_as_wide_as_the_page_and_leads_on(page, complaints, known):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/genre/western/")
    sorts = menu_of(page, "Sort:")
    sorts.locator("summary").click()
    expect(sorts.locator("ul")).to_be_visible()
    opened = sorts.locator("ul").bounding_box()
    assert opened["x"] >= 0
    assert opened["x"] + opened["width"] <= 390
    sorts.get_by_role("link", name="Year").click()
    page.wait_for_url("**/genre/western/?sort=year")
    expect(page.get_by_text("20 titles, latest year first.")).to_be_visible()
    expect(page.locator("ul.grid .card").first).to_contain_text("Western Number 19")
    assert complaints == []


def test_without_script_menus_chips_and_pages_are_links(browser, live_server, known):
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    page = context.new_page()
    page.goto("/search/?q=number")
    expect(page.get_by_text("Page 1 of 2")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    expect(page.locator("ul[data-row=results] > li")).to_have_count(15)
    genres = menu_of(page, "Genre")
    genres.locator("summary").click()
    genres.get_by_role("link", name=re.compile("Romance")).click()
    expect(page.get_by_text("19 titles.")).to_be_visible()
    page.get_by_role("link", name="Without Romance").click()
    expect(page.get_by_text("55 titles.")).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_an_open_menu_and_chips_are_no_barrier(page, barriers, known, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/search/?q=number&genre=Western&decade=1950s&sort=year")
    menu_of(page, "Decade").locator("summary").click()
    expect(menu_of(page, "Decade").locator("ul")).to_be_visible()
    assert barriers(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto("/search/?q=number&genre=Opera")
    assert barriers(page) == ""
