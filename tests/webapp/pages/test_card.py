"""A card is drawn once for each title, and still says what is so of each place it stands at."""

from datetime import UTC, datetime

import pytest
from selectolax.lexbor import LexborHTMLParser

from webapp.catalog.models import Title
from webapp.engine.views import SlotView
from webapp.pages import pieces
from webapp.pages.pieces import card

pytestmark = pytest.mark.django_db


@pytest.fixture
def film():
    made = Title.objects.create(
        external_id="a", name="M <b>", added_at=datetime.now(UTC), year=1931
    )
    return Title.objects.prefetch_related("genres").get(pk=made.pk)


@pytest.mark.parametrize(("slot", "why"), [(0, "It fits."), (17, 'Close to "<Her>" & others')])
def test_a_card_links_its_title_and_tells_its_slot_and_reason(film, slot, why):
    faces = {}
    card(SlotView(film, 5, "Something else.", 0.0, faces=faces), "genre")
    drawn = card(SlotView(film, slot, why, 1.0, faces=faces), "top_picks")
    [link] = LexborHTMLParser(drawn).css("a.card")
    assert link.attributes == {
        "class": "card",
        "href": film.get_absolute_url(),
        "data-title": str(film.pk),
        "data-slot": str(slot),
        "data-why": why,
    }
    assert link.css_first(".card-name").text() == "M <b>"
    assert link.css_first(".card-facts").text() == "1931"
    assert "<b>" not in drawn
    assert "<Her>" not in drawn


def test_a_face_is_rendered_once_for_all_slots_that_share_the_cards(
    film, django_assert_num_queries, monkeypatch
):
    rendered = []
    monkeypatch.setattr(pieces, "render_to_string", lambda *args: rendered.append(args) or "face")
    faces = {}
    for slot in range(3):
        assert "face</a>" in card(SlotView(film, slot, "", 0.0, faces=faces), "genre")
    assert len(rendered) == 1


def test_how_far_a_title_was_played_shows_where_it_is_continued_alone(film):
    view = SlotView(film, 0, "Where you stopped.", 1.0, progress=0.25)
    assert "progress" not in card(view, "top_picks")
    assert "25 % played" in card(view, "continue_watching")
    assert "progress" not in card(view, "top_picks")
