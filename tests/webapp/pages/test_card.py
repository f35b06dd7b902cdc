"""A card is drawn once for each title, and still says what is so of each place it stands at."""

from datetime import UTC, datetime

import pytest
from django.template.loader import render_to_string

from webapp.catalog.models import Title
from webapp.engine.views import SlotView
from webapp.pages.templatetags.marquee import card

pytestmark = pytest.mark.django_db


@pytest.fixture
def film():
    made = Title.objects.create(
        external_id="a", name="M <b>", added_at=datetime.now(UTC), year=1931
    )
    return Title.objects.prefetch_related("genres").get(pk=made.pk)


@pytest.mark.parametrize(("slot", "why"), [(0, "It fits."), (17, 'Close to "<Her>" & others')])
def test_a_card_is_what_its_template_says(film, slot, why):
    card(SlotView(film, 5, "Something else.", 0.0), "genre")
    view = SlotView(film, slot, why, 1.0)
    drawn = render_to_string("_card.html", {"slot": view, "row": "top_picks"})
    assert card(view, "top_picks") == drawn
    assert "<b>" not in drawn
    assert "<Her>" not in drawn


def test_how_far_a_title_was_played_shows_where_it_is_continued_alone(film):
    view = SlotView(film, 0, "Where you stopped.", 1.0, progress=0.25)
    assert "progress" not in card(view, "top_picks")
    assert "25 % played" in card(view, "continue_watching")
    assert "progress" not in card(view, "top_picks")
