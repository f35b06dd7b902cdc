"""An operator pins a title for a search that failed, by keyboard alone; viewers see it at once."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from playwright.sync_api import expect

from webapp.metrics.models import AuditEntry, DailyQuery
from webapp.rules.search_rules import search_rules

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def failing(transactional_db, release, films):
    for n, query in enumerate(("clint westwood", "spaceman")):
        DailyQuery.objects.create(
            day=timezone.now().date() - timedelta(days=1), is_simulated=False, query=query,
            intents=9 - n, failed=9 - n, empty=9 - n,
        )  # fmt: skip


@pytest.fixture
def curator(page, failing):
    account = User.objects.create_user("curator", password="a long password", is_staff=True)
    names = ("curate_search", "view_dashboards", "view_title")
    account.user_permissions.set(Permission.objects.filter(codename__in=names))
    page.goto("/login/?next=/staff/search/%3Ftraffic=real")
    page.get_by_label("Name").fill("curator")
    page.get_by_label("Password").fill("a long password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="To work through")).to_be_visible()
    return page


def test_a_failing_search_gets_a_pinned_title_by_keyboard(curator, films, browser, live_server):
    page = curator
    page.get_by_role("link", name="Add a rule for clint westwood").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Queries:")).to_have_value("clint westwood")
    page.get_by_label("Act:").focus()
    page.keyboard.press("p")
    expect(page.get_by_label("Act:")).to_have_value("pin")
    page.locator(".field-title .select2-selection").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("High Noon")
    expect(page.get_by_role("option", name=re.compile("High Noon"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".field-title .select2-selection")).to_contain_text("High Noon")
    page.get_by_role("button", name="Save", exact=True).first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("was added successfully")).to_be_visible()
    [entry] = AuditEntry.objects.all()
    assert entry.operator_name == "curator"

    context = browser.new_context(base_url=str(live_server))
    viewer = context.new_page()
    search_rules.forget()  # as the poller reads them anew within seconds
    viewer.goto("/search/?q=Clint+Westwood")
    expect(viewer.locator("li.result").first).to_contain_text("High Noon")
    context.close()
    page.goto("/staff/search/?traffic=real")
    work = page.get_by_role("region", name="Found nothing")
    expect(work.get_by_role("row")).to_have_count(2)
    expect(work).not_to_contain_text("clint westwood")


@pytest.mark.parametrize("width", [390, 1280])
def test_what_was_dealt_with_leaves_the_list_without_barriers(curator, barriers, width):
    page = curator
    page.set_viewport_size({"width": width, "height": 844})
    page.reload()
    assert barriers(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    work = page.get_by_role("region", name="Found nothing")
    page.get_by_role("button", name="Done with spaceman").focus()
    page.keyboard.press("Enter")
    expect(work).not_to_contain_text("spaceman")
    expect(page).to_have_url(re.compile("traffic=real"))
