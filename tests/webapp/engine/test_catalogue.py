"""The catalogue's rows as arrays."""

import numpy as np
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


def test_votes_from_elsewhere_come_along(films):
    known, unknown, unavailable = films[:3]
    known.votes, known.reviews = 132_745, 0
    known.save()
    unavailable.votes, unavailable.is_available = 7, False
    unavailable.save()
    catalogue = export_catalogue()
    items = catalogue.titles.items_of([known.pk, unknown.pk, unavailable.pk])
    assert np.array_equal(catalogue.votes[items], [132_745, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(catalogue.reviews[items], [0, np.nan, np.nan], equal_nan=True)


def test_words_of_plots_have_columns_whichever_title_they_are_in(films):
    first, second, silent = films[:3]
    first.plot, second.plot, silent.plot = "Two robots. The robot wakes.", "Robots sleep", ""
    for film in (first, second, silent):
        film.save()
    catalogue = export_catalogue()
    items = catalogue.titles.items_of([first.pk, second.pk, silent.pk])
    words = catalogue.plots[items].toarray()
    shared = np.flatnonzero(words[0] * words[1])
    assert words[:, shared].tolist() == [[2], [1], [0]], "robot and robots are one word"
    assert words.sum(axis=1).tolist() == [4, 2, 0], "'the' says nothing"
