"""After something was opened the home page is led by this visit, says so, and obeys "not that"."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _small_rows(settings):
    settings.ROW_SIZE = 6


def headings(page):
    return page.locator("section.row h2").all_inner_texts()


def cards(row):
    return row.locator("a[data-title]").evaluate_all("all => all.map((card) => card.dataset.title)")


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_a_guest_who_scrolled_opens_three_titles_and_returns(
    transactional_db, page, complaints, release, films, width
):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/")
    before = headings(page)
    assert page.locator(".topics").count() == 0
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_timeout(1200)
    for film in films[40:43]:
        page.goto(film.get_absolute_url())
    page.goto("/")
    hero = page.locator(".hero a[data-title]").get_attribute("data-title")
    first = page.locator("section.row").first
    assert first.get_attribute("data-row") == "this_visit"
    opened = {str(film.pk) for film in films[40:43]}
    assert not {hero, *cards(first)} & opened
    assert hero not in cards(first)
    expect(page.locator(".mark")).to_have_count(2)
    expect(first.locator(".mark")).to_have_text("Updated for this visit")
    after = headings(page)
    assert after[1 : len(before) + 1] == before
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    topics = page.get_by_role("region", name="Tonight:")
    expect(topics.get_by_role("listitem")).to_have_count(1)
    topics.get_by_role("button", name="Not that: Science Fiction").click()
    expect(page.get_by_text("Science Fiction is left out for this visit.")).to_be_visible()
    expect(page.locator(".topics")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Science Fiction is back in this visit.")).to_be_visible()
    expect(page.locator(".topics")).to_have_count(1)
    assert complaints == []
