"""Jinja's pages: what is put in is escaped, and what is kept is what Django would answer anew."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines
from django.urls import reverse

from webapp.catalog.models import Title
from webapp.pages.templating import url

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"|data-csrf="(\w+)"')


def test_every_template_can_be_read():
    folder = settings.BASE_DIR / "templates"
    names = [path.relative_to(folder).as_posix() for path in Path(folder).rglob("*.html")]
    assert len(names) > 40
    for name in names:
        engines["jinja2"].get_template(name)


@pytest.mark.parametrize(
    ("source", "page"),
    [
        ("{{ name }}", "&lt;b&gt; &amp; &#34;c&#34;"),
        ("{{ name|truncatechars(4) }}", "&lt;b&gt;…"),
        ('{{ ["<i>", name]|join(", ") }}', "&lt;i&gt;, &lt;b&gt; &amp; &#34;c&#34;"),
        ("{{ icon('play') }}", "<svg"),
        ("{{ none|default(none)|floatformat(4) }}", ""),
        ("{{ 0.12345|floatformat(4) }}", "0.1235"),
        ("{{ moment|date('Y-m-d H:i') }}", "2026-03-01 12:30"),
    ],
)
def test_values_are_escaped_and_our_own_drawings_are_not(source, page):
    moment = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    shown = engines["jinja2"].from_string(source).render({"name": '<b> & "c"', "moment": moment})
    assert shown.startswith(page)
    assert bool(page) == bool(shown)


def test_an_address_is_that_of_the_view():
    for _ in range(2):
        assert url("title", 7, "a-name") == reverse("title", args=[7, "a-name"])
        assert url("home") == reverse("home")


@pytest.mark.django_db
def test_all_forms_of_a_page_have_one_token_and_another_page_another(client, cast):
    title = Title.objects.create(external_id="a", name="M", added_at=datetime.now(UTC))
    client.force_login(cast.owner.account)
    client.post(f"/profiles/{cast.owner.pk}/choose/")
    pages = [client.get(title.get_absolute_url()).content.decode() for _ in range(2)]
    tokens = [{token for pair in TOKEN.findall(page) for token in pair if token} for page in pages]
    assert [len(of_page) for of_page in tokens] == [1, 1]
    assert tokens[0] != tokens[1], "a token is masked anew for each page"
    assert all(len(TOKEN.findall(page)) > 4 for page in pages)
