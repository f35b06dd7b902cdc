"""A title's poster: which picture, at which address, drawn from what, and for how long kept."""

from xml.etree import ElementTree

from webapp.catalog.models import Person, Title
from webapp.catalog.posters import DIRECTORS, drawn_poster_url, poster_spec, poster_url

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_an_operators_poster_comes_first(films):
    films[0].poster_url = "https://example.org/heat.jpg"
    assert poster_url(films[0]) == "https://example.org/heat.jpg"
    assert drawn_poster_url(films[0]).startswith(f"/posters/{films[0].pk}.svg?v=")
    assert poster_url(films[1]).startswith(f"/posters/{films[1].pk}.svg?v=")


def test_a_poster_is_drawn_from_the_titles_facts(films):
    [film] = Title.objects.filter(pk=films[0].pk).prefetch_related("genres", DIRECTORS)
    spec = poster_spec(film)
    assert (spec.external_id, spec.name, spec.year) == (film.external_id, film.name, film.year)
    assert (spec.genres, spec.director) == (("Western",), "Sergio Leone")


def test_a_page_of_titles_names_no_director_and_reads_no_credits(films, django_assert_num_queries):
    titles = list(Title.objects.for_cards())
    with django_assert_num_queries(0):
        assert {poster_spec(title).director for title in titles} == {""}


def test_a_poster_costs_three_queries_and_names_its_director(
    client, films, django_assert_num_queries
):
    address = poster_url(films[0])
    with django_assert_num_queries(3):
        response = client.get(address)
    assert response["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Cookie" not in response.get("Vary", "")
    assert "Sergio Leone" in texts(response.content)
    again = client.get(address, headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" in again["Cache-Control"]


def test_an_old_address_shows_the_new_drawing_for_a_short_while(client, films):
    response = client.get(f"/posters/{films[0].pk}.svg?v=old")
    assert response["Cache-Control"] == "public, max-age=300"


def test_a_new_director_is_a_new_drawing_at_the_same_address(client, films):
    before = client.get(poster_url(films[0]))
    films[0].credits.update(person=Person.objects.create(name="Akira Kurosawa"))
    after = client.get(poster_url(films[0]), headers={"If-None-Match": before["ETag"]})
    assert "Akira Kurosawa" in texts(after.content)


def test_an_unknown_title_has_no_poster(client, db):
    assert client.get("/posters/404.svg").status_code == 404
