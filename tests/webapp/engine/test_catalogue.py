"""The catalogue's rows as arrays."""

import pytest

from webapp.engine.catalogue import export_catalogue

pytestmark = pytest.mark.django_db


def test_short_facts_have_names_of_their_own(films):
    film = films[0]
    film.country, film.language, film.maturity = "France, West Germany", "French", 12
    film.kind = "series"
    film.save()
    catalogue = export_catalogue()
    row = catalogue.facts[[int(catalogue.titles.items_of([film.pk])[0])]]
    assert {catalogue.fact_names[column] for column in row.indices} == {
        "country:France", "country:West Germany", "kind:series", "language:French", "maturity:12"
    }  # fmt: skip
    assert set(row.data) == {1.0}


def test_a_title_without_an_age_has_no_fact_about_it(films):
    films[0].maturity = None
    films[0].save()
    catalogue = export_catalogue()
    row = catalogue.facts[[int(catalogue.titles.items_of([films[0].pk])[0])]]
    names = {catalogue.fact_names[column] for column in row.indices}
    assert not any(name.startswith("maturity:") for name in names)
