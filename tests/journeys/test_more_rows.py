"""The rows below the fold come as a viewer scrolls, without a jump; without script by a link."""

import pytest
from playwright.sync_api import expect

from webapp.engine.viewers import FIRST_ROWS

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _small_rows(settings):
    settings.ROW_SIZE = 6


def titles_on(page):
    return page.locator("section.row a[data-title]").evaluate_all(
        "cards => cards.map((card) => card.dataset.title)"
    )


def test_rows_come_as_the_page_is_scrolled_without_a_jump(
    transactional_db, page, complaints, release, films
):
    page.goto(films[0].get_absolute_url())
    page.goto("/")
    rows = page.locator("section.row[data-row]")
    expect(rows).to_have_count(FIRST_ROWS)
    before = page.evaluate("scrollTo(0, document.documentElement.scrollHeight), scrollY")
    expect(page.locator(".rows-below section.row").first).to_be_attached()
    assert abs(page.evaluate("scrollY") - before) <= 1
    assert rows.count() > FIRST_ROWS
    titles = titles_on(page)
    assert len(titles) == len(set(titles))
    expect(page.locator(".more-rows")).to_have_count(0)
    assert complaints == []


def test_without_script_a_link_brings_them(transactional_db, browser, live_server, release, films):
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    page = context.new_page()
    page.goto(films[0].get_absolute_url())
    page.goto("/")
    page.get_by_role("link", name="More rows").click()
    expect(page.locator(f"#row-{FIRST_ROWS + 1}")).to_be_visible()
    assert page.locator("section.row[data-row]").count() > FIRST_ROWS
    context.close()
