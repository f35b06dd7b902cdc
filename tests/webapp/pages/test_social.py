"""What other sites and search engines read on a page."""

import json
import re

import pytest
from django.contrib.staticfiles import finders

from webapp.catalog.models import Credit, Person, Title

pytestmark = pytest.mark.django_db
DATA = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)


def data_of(client, title):
    return DATA.findall(client.get(title.get_absolute_url()).content.decode())


def test_a_title_is_told_in_the_words_of_schema_org(client, release, films):
    [told] = data_of(client, films[0])
    assert json.loads(told) == {
        "@context": "https://schema.org",
        "@type": "Movie",
        "name": "The Good, the Bad and the Ugly",
        "description": "The plot of film 0.",
        "url": f"http://testserver{films[0].get_absolute_url()}",
        "image": json.loads(told)["image"],
        "datePublished": "1950",
        "duration": "PT100M",
        "genre": ["Western"],
        "director": [{"@type": "Person", "name": "Sergio Leone"}],
        "potentialAction": {
            "@type": "WatchAction",
            "target": f"http://testserver/watch/{films[0].pk}/",
        },
    }
    assert json.loads(told)["image"].startswith(f"http://testserver/posters/{films[0].pk}.svg?v=")


def test_a_series_says_that_it_is_one(client, release, films):
    Title.objects.filter(pk=films[0].pk).update(kind="series")
    assert json.loads(data_of(client, films[0])[0])["@type"] == "TVSeries"


def test_what_a_catalogue_says_cannot_end_the_data(client, release, films):
    evil = "</script><script>alert(1)</script> & <!-- \u2028"
    Title.objects.filter(pk=films[0].pk).update(name=evil, plot=evil)
    person = Person.objects.create(name=evil)
    Credit.objects.create(title=films[0], person=person, role="cast")
    page = client.get(Title.objects.get(pk=films[0].pk).get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    [told] = DATA.findall(page)
    assert json.loads(told)["name"] == evil
    assert json.loads(told)["actor"] == [{"@type": "Person", "name": evil}]


def test_a_shared_title_shows_its_name_and_the_catalogues_own_poster(client, release, films):
    Title.objects.filter(pk=films[0].pk).update(poster_url="https://example.org/good.jpg")
    page = client.get(films[0].get_absolute_url()).content.decode()
    assert '<meta property="og:title" content="The Good, the Bad and the Ugly (1950)">' in page
    assert '<meta property="og:image" content="https://example.org/good.jpg">' in page
    assert f'<link rel="canonical" href="http://testserver{films[0].get_absolute_url()}">' in page


@pytest.mark.parametrize("address", ["/", "/search/?q=noon", "/login/"])
def test_a_shared_page_has_an_absolute_address_and_a_card(client, release, address):
    page = client.get(address).content.decode()
    path = address.partition("?")[0]
    assert f'<meta property="og:url" content="http://testserver{path}">' in page
    assert '<meta property="og:image" content="http://testserver/static/card.png">' in page
    assert finders.find("card.png")
