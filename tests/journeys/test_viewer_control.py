"""Each control in a real browser: at a desk, on a phone, and without JavaScript."""

import json
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from tests.journeys.waiting import until
from webapp.catalog.models import Title
from webapp.profiles.models import HiddenTitle, ListEntry, Profile, Rating

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

WAYS: dict[str, Any] = {
    "desk": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    "no script": {"viewport": {"width": 1280, "height": 800}, "java_script_enabled": False},
}


@pytest.fixture(params=WAYS)
def viewer(request, transactional_db, browser, live_server, cast, films, log_in, complaints):
    """A page of the owner's, logged in and chosen."""
    client = log_in(Client(), cast.owner)
    context = browser.new_context(base_url=str(live_server), **WAYS[request.param])
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": str(live_server)}]
    )
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console",
        lambda message: (
            message.type == "error"
            and "status of 40" not in message.text  # refused on purpose, with a page that says so
            and complaints.append(message.text)
        ),
    )
    yield opened
    assert complaints == []  # before its end, which cuts off pictures that are still on their way
    context.close()


def fits(page):
    """No page scrolls sideways."""
    return page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


def undo(page, words):
    """The message says what was done; its Undo takes it back."""
    message = page.locator("#messages .notice", has_text=words)
    expect(message).to_be_visible()
    assert fits(page)
    message.get_by_role("button", name="Undo").click()


def press(page, name):
    page.locator(".title-page [data-controls]").get_by_role("button", name=name, exact=True).click()


def is_pressed(page, name):
    button = page.locator(".title-page [data-controls]").get_by_role(
        "button", name=name, exact=True
    )
    expect(button).to_have_attribute("aria-pressed", "true")


def is_loose(page, name):
    button = page.locator(".title-page [data-controls]").get_by_role(
        "button", name=name, exact=True
    )
    expect(button).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize(
    ("name", "pressed", "words", "model"),
    [
        ("I like this", "I like this", "You like “High Noon”", Rating),
        ("Love it", "Love it", "You love “High Noon”", Rating),
        ("Not for me", "Not for me", "“High Noon” is not for you", Rating),
        ("My list", "On my list", "“High Noon” is on your list", ListEntry),
        ("Hide", "Hidden: show again", "“High Noon” is hidden", HiddenTitle),
    ],
)
def test_a_verdict_is_told_shown_and_undone(viewer, films, name, pressed, words, model):
    viewer.goto(films[1].get_absolute_url())
    press(viewer, name)
    is_pressed(viewer, pressed)
    assert model.objects.get().title == films[1]
    undo(viewer, words)
    is_loose(viewer, name)
    assert not model.objects.exists()


def test_what_is_hidden_or_refused_is_not_on_the_next_page(viewer, films):
    card = viewer.locator(f"main a[data-title='{films[1].pk}']")
    western = viewer.locator(", ".join(f"main a[data-title='{f.pk}']" for f in films[2:20]))
    viewer.goto("/")
    expect(card.first).to_be_attached()
    viewer.goto(films[1].get_absolute_url())
    press(viewer, "Hide")
    is_pressed(viewer, "Hidden: show again")
    viewer.goto("/?rows=all")
    expect(card).to_have_count(0)
    expect(western.first).to_be_attached()
    viewer.goto(films[0].get_absolute_url())
    viewer.get_by_text("Not for me: a person or genre").click()
    press(viewer, "Sergio Leone")
    expect(viewer.locator("#messages")).to_contain_text("Titles with Sergio Leone")
    press(viewer, "Western")
    is_pressed(viewer, "Western")
    viewer.goto("/?rows=all")
    expect(western).to_have_count(0)
    viewer.goto("/history/")
    for name in ("Allow again Sergio Leone", "Allow again Western", "Show again High Noon"):
        viewer.get_by_role("button", name=name).click()
        expect(viewer.get_by_role("button", name=name)).to_have_count(0)
    assert fits(viewer)
    viewer.goto("/?rows=all")
    expect(western.first).to_be_attached()
    expect(card.first).to_be_attached()


def test_a_title_leaves_continue_watching_and_history_and_comes_back(viewer, cast, films, log_in):
    log_in(Client(), cast.owner).post(f"/watch/{films[1].pk}/stopped/", {"minutes": "30"})
    going_on = viewer.get_by_role("heading", name="Continue watching")
    viewer.goto("/")
    expect(going_on).to_be_visible()
    viewer.goto(films[1].get_absolute_url())
    press(viewer, "Remove from Continue watching")
    undo(viewer, "left Continue watching")
    expect(viewer.locator("#messages")).to_contain_text("back in Continue watching")
    press(viewer, "Remove from Continue watching")
    expect(viewer.locator("#messages")).to_contain_text("left Continue watching")
    viewer.goto("/")
    expect(going_on).to_have_count(0)

    viewer.goto(f"/watch/{films[1].pk}/")
    expect(viewer.locator("[data-player]")).to_have_attribute("data-start", "1800")
    viewer.get_by_role("link", name="From the beginning").click()
    expect(viewer.locator("[data-player]")).to_have_attribute("data-start", "0")

    viewer.goto("/history/")
    expect(viewer.get_by_text("30 % played")).to_be_visible()
    viewer.get_by_role("button", name="Remove High Noon").click()
    expect(viewer.get_by_text("30 % played")).to_have_count(0)
    undo(viewer, "out of your history")
    expect(viewer.get_by_text("30 % played")).to_be_visible()


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ("Pause history", "is_history_paused"),
        ("Personal picks", "is_personalized"),
        ("Hide what was watched", "hides_watched"),
    ],
)
def test_a_switch_is_turned_and_turned_back(viewer, cast, label, field):
    was = getattr(cast.owner, field)
    viewer.goto(f"/profiles/{cast.owner.pk}/")
    assert fits(viewer)
    box = viewer.get_by_label(label, exact=True)
    box.click()
    viewer.get_by_role("button", name="Save").last.click()
    expect(viewer.locator("#messages")).to_contain_text("Saved for Ana")
    assert getattr(Profile.objects.get(pk=cast.owner.pk), field) is not was
    undo(viewer, "Saved for Ana")
    until(viewer, lambda: getattr(Profile.objects.get(pk=cast.owner.pk), field) is was)
    viewer.goto(f"/profiles/{cast.owner.pk}/")
    assert getattr(Profile.objects.get(pk=cast.owner.pk), field) is was


def test_someone_new_picks_titles_takes_the_data_along_and_goes(viewer, release, films):
    viewer.goto("/profiles/")
    assert fits(viewer)
    viewer.get_by_label("Someone new").fill("Noor")
    viewer.get_by_role("button", name="Add").click()
    expect(viewer.get_by_role("heading", name="What do you like, Noor?")).to_be_visible()
    assert fits(viewer)
    viewer.locator(".pick").first.click()
    viewer.get_by_label("Look for one").fill("solaris")
    viewer.get_by_role("button", name="Look", exact=True).click()
    viewer.locator(".pick", has_text="Solaris").click()
    viewer.get_by_role("button", name="These I like").click()
    expect(viewer.locator("#messages")).to_contain_text("You like 2 titles")
    expect(viewer.get_by_role("heading", name="Because you liked Solaris")).to_be_attached()

    added = Profile.objects.get(name="Noor")
    viewer.goto(f"/profiles/{added.pk}/")
    with viewer.expect_download() as download:
        viewer.get_by_role("button", name="Download as JSON").click()
    with open(download.value.path(), encoding="utf-8") as file:
        told = json.load(file)
    assert told["profile"]["name"] == "Noor"
    assert len(told["ratings"]) == 2
    viewer.get_by_role("link", name="Delete Noor and this data").click()
    viewer.get_by_role("button", name="Delete Noor for good").click()
    expect(viewer.locator("#messages")).to_contain_text("Noor and all that was kept")
    assert not Profile.objects.filter(name="Noor").exists()


def test_a_child_stays_below_its_limit_until_the_password_is_told(viewer, cast, films):
    Title.objects.exclude(pk=films[1].pk).update(maturity=6)
    Title.objects.filter(pk=films[1].pk).update(maturity=16)
    viewer.goto("/profiles/")
    viewer.get_by_label("Someone new").fill("Lu")
    viewer.get_by_label("A child").check()
    viewer.get_by_role("button", name="Add").click()
    expect(viewer.locator("#messages")).to_contain_text("Lu sees titles for up to age 6")
    viewer.get_by_role("button", name="Lu", exact=True).click()
    assert viewer.goto(films[0].get_absolute_url()).status == 200
    assert viewer.goto(films[1].get_absolute_url()).status == 404
    viewer.goto("/profiles/")
    viewer.get_by_role("button", name="Ana", exact=True).click()
    expect(viewer.get_by_role("heading", name="The account’s password")).to_be_visible()
    assert fits(viewer)
    viewer.get_by_label("Password").fill("a guess")
    viewer.get_by_role("button", name="Go on").click()
    expect(viewer.get_by_role("alert")).to_contain_text("not the account’s password")
    viewer.get_by_label("Password").fill("a long password")
    viewer.get_by_role("button", name="Go on").click()
    expect(viewer.locator("[data-surface=home]")).to_be_attached()
    assert viewer.goto(films[1].get_absolute_url()).status == 200
