"""How pages look and feel: posters, rows, previews, and no barrier for anyone."""

import pytest
from playwright.sync_api import expect

from webapp.catalog.models import Title

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
