"""Pages stay light: what a browser fetches for one without pictures, compressed."""

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

pytestmark = pytest.mark.django_db
LIMIT = 150_000


def weight_of(page):
    """Bytes of the page and of all the style sheets and scripts it names, each gzipped."""
    names = re.findall(r'(?:src|href)="/static/([^"]+\.(?:css|js))"', page.decode())
    assert names
    files = [Path(str(finders.find(name))).read_bytes() for name in names]
    return sum(len(gzip.compress(content, 6)) for content in [page, *files])


@pytest.mark.parametrize("address", ["/?rows=all", "/search/", "/search/?q=western", "/my-list/"])
def test_a_page_weighs_little_without_its_pictures(owner_client, release, address):
    assert weight_of(owner_client.get(address).content) < LIMIT


def test_no_page_asks_anything_of_a_third_party(owner_client, release, films):
    for address in ("/", "/search/?q=noon", films[0].get_absolute_url()):
        page = owner_client.get(address).content.decode()
        fetched = re.findall(r'<(?:script|img|source|video|iframe)[^>]*src="([^"]+)"', page)
        fetched += re.findall(r'<link rel="(?:stylesheet|icon)"[^>]*href="([^"]+)"', page)
        assert fetched
        assert all(one.startswith("/") and not one.startswith("//") for one in fetched)
