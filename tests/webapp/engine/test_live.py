"""Catalogue and search number the same titles, whatever happens while they are exported."""

import numpy as np
import pytest

from webapp.catalog.models import Title
from webapp.engine import catalogue_index, live
from webapp.engine.catalogue import export_catalogue, export_documents
from webapp.releases.models import Release

pytestmark = pytest.mark.django_db


def test_a_title_that_is_not_available_has_a_number_and_no_genre(films):
    Title.objects.filter(pk=films[3].pk).update(is_available=False)
    catalogue = export_catalogue()
    documents = [document.id for document in export_documents()]
    assert catalogue.titles.ids.tolist() == documents == [film.pk for film in films]
    assert np.flatnonzero(~catalogue.is_available).tolist() == [3]
    assert np.flatnonzero(catalogue.genres.sum(axis=1) == 0).tolist() == [3]
    assert catalogue.items_with_genre(0).tolist() == [n for n in range(20) if n != 3]


def test_a_title_that_comes_between_the_two_exports_is_in_both(films, now, monkeypatch):
    exported = []

    def export_and_add():
        catalogue = export_catalogue()
        if not exported:
            exported.append(Title.objects.create(external_id="late", name="Late", added_at=now))
        return catalogue

    monkeypatch.setattr(catalogue_index, "export_catalogue", export_and_add)
    state = live.load_live(None)
    assert exported[0].pk in state.catalogue.titles
    assert state.search.document_ids.tolist() == state.catalogue.titles.ids.tolist()


def test_titles_that_never_stop_coming_are_told_in_words(films, now, monkeypatch):
    def export_and_add():
        catalogue = export_catalogue()
        count = Title.objects.count()
        Title.objects.create(external_id=f"late-{count}", name="Late", added_at=now)
        return catalogue

    monkeypatch.setattr(catalogue_index, "export_catalogue", export_and_add)
    with pytest.raises(catalogue_index.TitlesChangedError, match="try again later"):
        live.load_live(None)


def test_a_broken_release_leaves_the_old_one_with_its_own_search(release, films, now):
    before = live.load_live(None)
    Title.objects.create(external_id="new", name="Brand New", added_at=now)
    Release.objects.filter(pk=release.pk).update(folder="artifacts/none")
    after = live.load_live(before)
    assert "cannot be loaded" in after.trouble
    assert after.recommender is not None
    assert after.recommender.catalogue.titles.ids.tolist() == after.search.document_ids.tolist()
    assert after.search.search("casablanca").hits[0].id == films[20].pk
