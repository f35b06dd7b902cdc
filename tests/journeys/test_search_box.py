"""The search box in a real browser: by keyboard alone, by mouse, on a phone and without script."""

import re
from contextlib import suppress
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Error, expect

from tests.journeys.waiting import until
from webapp.catalog.models import Credit, Person, Title
from webapp.events.models import Event, Visit
from webapp.profiles.models import Profile
from webapp.slates.models import Slate

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def box(page):
    return page.get_by_role("combobox")


@pytest.fixture
def listbox(page):
    return page.get_by_role("listbox")


@pytest.fixture
def known(transactional_db, release, films, settings):
    """Casablanca has a cast, and many look for westerns."""
    settings.TRENDING_SEARCH_VIEWERS = 2
    bergman = Person.objects.create(name="Ingrid Bergman")
    Credit.objects.create(title=films[20], person=bergman, role=Credit.Role.CAST)
    films[20].save()
    return films


def search_as_many(text, now, people=2):
    for _ in range(people):
        account = User.objects.create_user(f"searcher {uuid4()}")
        profile = Profile.objects.create(account=account, name="Searcher")
        visit = Visit.objects.create(id=uuid4(), started_at=now, profile=profile)
        Event.objects.create(
            id=uuid4(),
            visit=visit,
            profile=profile,
            kind="search",
            query=text,
            value="submit",
            occurred_at=now,
            received_at=now,
        )


def wait_for_events(page, kind, number=1):
    found = Event.objects.filter(kind=kind).order_by("occurred_at")
    assert until(page, lambda: found.count() >= number), Event.objects.values()
    return list(found)


def active_option(page):
    """The option that the input says is active; None where none is."""
    return page.evaluate(
        """() => {
          const input = document.getElementById("q");
          const id = input.getAttribute("aria-activedescendant");
          const option = id && document.getElementById(id);
          if (document.activeElement !== input) throw new Error("the focus left the input");
          return option && option.getAttribute("aria-selected") === "true"
            ? option.querySelector(".option-name").textContent : null;
        }"""
    )


def test_by_keyboard_alone(page, complaints, known, box, listbox):
    page.goto("/")
    page.keyboard.press("/")
    expect(box).to_be_focused()
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(listbox.get_by_role("group", name="For you, now")).to_be_visible()

    page.keyboard.press("Escape")
    expect(listbox).to_be_hidden()
    expect(box).to_have_attribute("aria-expanded", "false")

    page.keyboard.type("casablnca", delay=30)
    titles = listbox.get_by_role("group", name="Titles")
    expect(titles.get_by_role("option").first).to_contain_text("Casablanca")
    expect(page.locator(".popup-words")).to_contain_text("Did you mean “Casablanca”?")
    expect(page.locator("#announcement")).to_contain_text("1 title.")
    assert active_option(page) is None

    page.keyboard.press("ArrowDown")
    assert active_option(page) == "Casablanca"
    page.keyboard.press("ArrowUp")
    assert active_option(page) is None
    page.keyboard.press("ArrowUp")
    assert active_option(page).startswith("All results")
    page.keyboard.press("Home")
    assert active_option(page) is None
    assert page.evaluate("document.getElementById('q').selectionStart") == 0
    page.keyboard.press("End")
    assert page.evaluate("document.getElementById('q').selectionStart") == len("casablnca")

    page.keyboard.press("Escape")
    expect(listbox).to_be_hidden()
    expect(box).to_have_value("casablnca")
    page.keyboard.press("Alt+ArrowDown")
    expect(listbox).to_be_visible()
    page.keyboard.press("Alt+ArrowUp")
    expect(listbox).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(listbox).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Casablanca")).to_be_visible()

    [chosen] = wait_for_events(page, "choose")
    assert (chosen.query, chosen.row, chosen.slot) == ("casablnca", "typed", 0)
    assert chosen.slate.rows[0]["titles"][0] == chosen.title_id == known[20].pk
    [opened] = Event.objects.filter(kind="open")
    assert opened.slate == chosen.slate
    assert not Event.objects.filter(kind="search").exists()
    assert complaints == []


def test_escape_closes_then_clears_and_that_is_giving_up(page, known, box, listbox):
    page.goto("/")
    box.press_sequentially("metropoliss", delay=10)
    expect(listbox).to_be_visible()
    page.keyboard.press("Backspace")
    page.keyboard.press("Escape")
    expect(listbox).to_be_hidden()
    page.keyboard.press("Escape")
    expect(box).to_have_value("")
    [given_up] = wait_for_events(page, "search")
    assert (given_up.query, given_up.value) == ("metropoliss", "quit")


def test_leaving_the_page_while_typing_is_giving_up_once(page, known, box, listbox):
    page.goto("/")
    box.press_sequentially("sol", delay=10)
    expect(listbox).to_be_visible()
    page.goto("/genre/western/")
    [given_up] = wait_for_events(page, "search")
    assert (given_up.query, given_up.value, given_up.surface) == ("sol", "quit", "search")
    page.wait_for_timeout(2000)
    assert Event.objects.filter(kind="search").count() == 1


def test_enter_leads_to_the_page_of_the_query_and_a_card_there_is_the_choice(
    page, complaints, known, box
):
    page.goto("/")
    box.press_sequentially("number", delay=10)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=number")
    expect(box).to_have_value("number")
    card = page.locator("li.result a").nth(2)
    name = card.locator(".card-name").text_content()
    card.click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    [chosen] = wait_for_events(page, "choose")
    [made] = Event.objects.filter(kind="search")
    assert (made.query, made.value, made.slate) == ("number", "submit", chosen.slate)
    assert (chosen.query, chosen.row, chosen.slot) == ("number", "results", 2)
    page.go_back()
    page.wait_for_url("**/search/?q=number")
    page.reload()
    assert complaints == []


def test_by_mouse_the_focus_stays_in_the_box(page, complaints, known, box, listbox):
    page.goto("/")
    box.click()
    expect(listbox.get_by_role("option").first).to_be_visible()
    box.press_sequentially("ingrid", delay=10)
    person = listbox.get_by_role("group", name="People").get_by_role("option")
    expect(person).to_contain_text("Ingrid Bergman")
    page.locator(".popup-words, .popup-keys").last.click()
    expect(box).to_be_focused()
    expect(listbox).to_be_visible()
    person.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ingrid Bergman")
    page.locator("main").click(position={"x": 5, "y": 5})
    told = wait_for_events(page, "search", 1)
    assert (told[0].query, told[0].value) == ("ingrid", "person")
    assert complaints == []


def test_a_click_elsewhere_closes(page, known, box, listbox):
    page.goto("/")
    box.click()
    expect(listbox).to_be_visible()
    page.mouse.click(20, 600)
    expect(listbox).to_be_hidden()


def test_an_answer_that_was_overtaken_is_dropped(page, known, box, listbox):
    """The answer to `c` comes after the answer to `casa`."""
    held = []

    def hold(route):
        if route.request.url.endswith("q=c"):
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/v1/suggest*", hold)
    page.goto("/")
    box.press_sequentially("c")
    assert until(page, lambda: held)
    box.press_sequentially("asa", delay=5)
    expect(page.locator(".popup")).to_have_attribute("data-query", "casa")
    expect(listbox.get_by_role("option").first).to_contain_text("Casablanca")
    shown = listbox.text_content()
    with suppress(Error):  # the browser may have given the request up, which is as good
        held[0].fulfill(json={"query": "c"})
    page.wait_for_timeout(200)
    assert listbox.text_content() == shown


def test_one_opening_of_the_box_is_one_question(page, known, box, listbox):
    """A click is a focus and a click: it asked twice, and a choice fell to the wrong slate."""
    asked = []

    def hold(route):
        asked.append(route)

    page.route("**/api/v1/suggest*", hold)
    page.goto("/")
    box.click()
    assert until(page, lambda: asked)
    box.click()
    page.keyboard.press("ArrowDown")
    asked[0].continue_()
    expect(listbox).to_be_visible()
    assert len(asked) == 1
    [shown] = Slate.objects.filter(surface="prequery")
    assert page.locator(".popup").get_attribute("data-slate") == str(shown.pk)


def test_what_is_typed_asks_once_though_the_box_is_clicked_meanwhile(page, known, box, listbox):
    asked = []

    def note(route):
        asked.append(route.request.url)
        route.continue_()

    page.goto("/")
    box.focus()
    expect(listbox).to_be_visible()
    page.keyboard.press("Escape")
    page.route("**/api/v1/suggest*", note)
    page.evaluate(
        """() => {
          const input = document.getElementById("q");
          input.value = "casa";
          input.dispatchEvent(new InputEvent("input"));
          input.click();
        }"""
    )
    expect(listbox.get_by_role("option").first).to_contain_text("Casablanca")
    page.wait_for_function("() => !document.querySelector('.option-poster[data-src]')")
    assert [url.partition("?")[2] for url in asked] == ["q=casa"]


def test_the_empty_box_opens_what_is_for_this_visit_and_changes_with_each_event(
    page, complaints, known, box, listbox, now
):
    search_as_many("space", now)
    page.goto("/search/?q=high+noon")
    page.goto("/")
    box.click()
    expect(listbox.get_by_role("group", name="Trending searches")).to_contain_text("space")
    recent = listbox.get_by_role("group", name="Your recent searches").get_by_role("option")
    expect(recent).to_have_count(1)
    expect(recent).to_contain_text("high noon")
    group = listbox.get_by_role("group", name="For you, now")
    before = group.text_content()

    page.goto(known[40].get_absolute_url())
    box.click()
    expect(group).to_be_visible()
    after = group.get_by_role("option").all_inner_texts()
    assert group.text_content() != before
    assert sum("Science Fiction" in text for text in after) >= 4
    group.get_by_role("option").first.click()
    page.wait_for_url("**/title/**")
    slate = Slate.objects.filter(surface="prequery").latest("created_at")
    opened = Event.objects.filter(kind="open").latest("occurred_at")
    assert (opened.slate, opened.row, opened.slot) == (slate, "suggestions", 0)
    assert not Event.objects.filter(kind="choose").exists()
    assert complaints == []


def test_a_recent_search_is_forgotten_by_key_and_by_cross(page, complaints, known, box, listbox):
    for text in ("high noon", "solaris", "metropolis"):
        page.goto(f"/search/?q={text}")
    page.goto("/")
    box.click()
    recent = listbox.get_by_role("group", name="Your recent searches").get_by_role("option")
    expect(recent).to_have_count(3)
    page.keyboard.press("ArrowDown")
    assert active_option(page) == "metropolis"
    page.keyboard.press("Delete")
    expect(recent).to_have_count(2)
    assert active_option(page) == "solaris"
    recent.first.locator("[data-forget]").click()
    expect(recent).to_have_count(1)
    expect(box).to_be_focused()
    kept = Event.objects.filter(kind="search").exclude(query="").values_list("query", flat=True)
    assert list(kept) == ["high noon"]
    assert Event.objects.filter(kind="search").count() == 3
    assert complaints == []


def test_what_is_seen_in_the_popup_for_a_second_is_an_impression(page, known, box, listbox):
    page.goto("/")
    box.press_sequentially("number")
    expect(listbox.get_by_role("option").first).to_be_visible()
    impressions = Event.objects.filter(kind="impression", row="typed")

    def four_are_told():
        page.evaluate("Events.flush()")
        return impressions.count() >= 4

    assert until(page, four_are_told)
    assert {event.slate.surface for event in impressions} == {"search"}


@pytest.mark.parametrize(
    "text", ["<img src=x onerror=alert(1)>", "'; DROP TABLE x; --", "🎬", "שלום"]
)
def test_what_is_typed_stays_text(page, complaints, known, box, text):
    page.goto("/")
    box.fill(text)
    expect(page.locator(".popup-words")).to_contain_text("Nothing matches")
    assert page.locator(".popup img[src=x]").count() == 0
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Nothing matches “{text}”")
    assert page.locator("ul.grid a.card").count() >= 6
    assert complaints == []


@pytest.mark.parametrize("width", [390, 1280])
def test_there_are_no_barriers_open_or_closed(
    page, complaints, known, box, listbox, barriers, width
):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/search/?q=solaris")
    page.goto("/search/")
    assert barriers(page) == ""
    page.goto("/")
    assert barriers(page) == ""
    box.click()
    expect(listbox.get_by_role("group", name="Your recent searches")).to_be_visible()
    page.keyboard.press("ArrowDown")
    assert barriers(page) == ""
    box.fill("casa")
    expect(listbox.get_by_role("option").first).to_contain_text("Casablanca")
    page.keyboard.press("ArrowDown")
    assert barriers(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box.fill("qqqqqqqq")
    expect(page.locator(".popup-words")).to_contain_text("Nothing matches")
    assert barriers(page) == ""
    page.goto("/search/?q=westerns+1950s")
    assert barriers(page) == ""
    assert complaints == []


def test_on_a_phone_a_tap_opens_the_suggestion(page, complaints, known, box, listbox):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/")
    box.click()
    box.press_sequentially("solar", delay=20)
    option = listbox.get_by_role("option").first
    expect(option).to_contain_text("Solaris")
    popup = page.locator(".popup").bounding_box()
    assert popup["x"] >= 0
    assert popup["x"] + popup["width"] <= 390
    option.click()
    expect(page.get_by_role("heading", level=1, name="Solaris")).to_be_visible()
    assert complaints == []


def test_without_script_the_box_is_a_form_and_a_search_is_forgotten(
    browser, live_server, known, settings
):
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Search titles, people, genres").fill("westerns of the 1950s")
    page.get_by_role("button", name="Search").click()
    chips = page.get_by_role("list", name="Understood of your search").get_by_role("link")
    expect(chips).to_have_text([re.compile("Western"), re.compile("1950s")])
    chips.first.click()
    expect(page.get_by_label("Search titles, people, genres")).not_to_have_value(re.compile("west"))
    page.goto("/search/")
    expect(page.get_by_role("heading", name="Your recent searches")).to_be_visible()
    page.get_by_role("button", name="Forget the search westerns of the 1950s").click()
    expect(page.get_by_text("westerns of the 1950s")).to_have_count(0)
    assert page.get_by_role("combobox").count() == 0
    context.close()


def test_a_title_that_cannot_be_watched_says_so_in_the_box(page, complaints, known, box):
    Title.objects.filter(pk=known[20].pk).update(is_available=False)
    known[21].save()
    page.goto("/")
    box.fill("casablanca")
    expect(page.locator(".popup-words")).to_contain_text("Not available here: Casablanca.")
    assert complaints == []
