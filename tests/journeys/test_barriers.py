"""No page keeps anyone out: axe-core finds nothing, on a desk or on a phone."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from tests.journeys.test_look import enter
from webapp.profiles.models import ListEntry

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

WIDTHS = pytest.mark.parametrize("width", [390, 1280])
ANYONES = ("/", "/login/", "/search/", "/search/?q=noon", "/search/?q=zzqqxxy", "/nowhere/")
VIEWERS = (
    "/",
    "/search/",
    "/search/?q=western",
    "/genre/western/",
    "/my-list/",
    "/profiles/",
    "/history/",
    "/welcome/",
    "/account/delete/",
)
STAFFS = (
    "/staff/training/",
    "/staff/",
    "/staff/rows/",
    "/staff/search/",
    "/staff/models/",
    "/staff/experiments/",
    "/staff/people/",
    "/staff/system/",
)


def walk(page, barriers, addresses):
    """What axe-core finds on each of these pages, by address; nothing where nothing."""
    found = {}
    for address in addresses:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        if words := barriers(page):
            found[address] = words
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    return found


@WIDTHS
def test_no_page_for_anyone_has_a_barrier(transactional_db, page, barriers, release, width):
    page.set_viewport_size({"width": width, "height": 844})
    assert walk(page, barriers, ANYONES) == {}


@WIDTHS
def test_no_page_for_a_viewer_has_a_barrier(
    transactional_db, page, barriers, cast, release, films, now, width
):
    page.set_viewport_size({"width": width, "height": 844})
    ListEntry.objects.create(profile=cast.owner, title=films[3], at=now)
    enter(page, cast)
    own = (
        films[0].get_absolute_url(),
        f"/watch/{films[0].pk}/",
        f"/person/{films[0].people.get().pk}/",
        f"/profiles/{cast.owner.pk}/",
        f"/profiles/{cast.owner.pk}/delete/",
    )
    assert walk(page, barriers, (*VIEWERS, *own)) == {}


@WIDTHS
def test_no_page_for_staff_has_a_barrier(transactional_db, page, barriers, release, width):
    page.set_viewport_size({"width": width, "height": 844})
    User.objects.create_user("op", password="a long password", is_staff=True, is_superuser=True)
    page.goto("/login/?next=/staff/training/")
    page.get_by_label("Name").fill("op")
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Log in").click()
    assert walk(page, barriers, STAFFS) == {}


def test_a_preview_and_an_open_menu_have_no_barrier(
    transactional_db, page, barriers, cast, release
):
    enter(page, cast)
    page.locator("details.account summary").click()
    assert barriers(page) == ""
    page.keyboard.press("Escape")
    page.locator("section.row .card").nth(1).hover()
    expect(page.locator(".preview")).to_be_visible()
    page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")
    assert barriers(page) == ""


def test_every_page_reads_without_script(
    transactional_db, browser, live_server, cast, release, films
):
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    page = context.new_page()
    enter(page, cast)
    for address in (*VIEWERS, films[0].get_absolute_url(), f"/watch/{films[0].pk}/"):
        assert page.goto(address).ok, address
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        expect(page.locator("[aria-busy=true], .skeletons:visible")).to_have_count(0)
    context.close()


@pytest.mark.parametrize("media", [{"contrast": "more"}, {"forced_colors": "active"}])
def test_those_who_see_less_see_where_the_focus_is_and_no_backdrops(
    transactional_db, browser, live_server, release, media
):
    context = browser.new_context(base_url=str(live_server), **media)
    page = context.new_page()
    page.goto("/")
    expect(page.locator(".hero .backdrop")).to_be_hidden()
    card = page.locator("section.row .card").first
    card.focus()
    page.wait_for_function(  # once the shadow has faded in
        """card => {
            const own = getComputedStyle(card), art = getComputedStyle(card.firstElementChild);
            return own.outlineStyle !== "none" || art.boxShadow.includes("3px");
        }""",
        arg=card.element_handle(),
    )
    context.close()
