"""Metrics of what was seen, by hand: rates by surface, row and slot, and how varied it was."""

import math

import pytest

from tests.webapp.metrics.conftest import told
from webapp.catalog.models import Title

pytestmark = pytest.mark.django_db


def test_rates_are_parted_by_surface_row_and_slot(sit, films, count):
    """Three places seen at home in two rows, one in search; one opened, one chosen and watched."""
    visit = sit()
    home, found = visit.slate(), visit.slate(30, surface="search")
    visit.see(films[0], 1, home, row="trending", slot=0)
    visit.see(films[1], 2, home, row="trending", slot=1)
    visit.see(films[2], 3, home, row="new", slot=0)
    visit.event("open", films[1], 10, home, row="trending", slot=1)
    visit.see(films[3], 31, found, row="results", slot=0)
    visit.event("choose", films[3], 40, found, row="results", slot=0, query="x")
    visit.watch(films[3], at=50, seconds=400)
    assert count("ctr") == (2, 4)
    assert told("ctr", "surface", "home") == (1, 3)
    assert told("ctr", "surface", "search") == (1, 1)
    assert told("ctr", "row", "trending") == (1, 2)
    assert told("ctr", "row", "new") == (0, 1)
    assert told("ctr", "slot", "0") == (1, 3)
    assert told("ctr", "slot", "1") == (1, 1)
    assert told("conversion_rate") == (1, 4)
    assert told("conversion_rate", "surface", "home") == (0, 3)
    assert told("conversion_rate", "row", "results") == (1, 1)
    assert told("ctr", "surface", "prequery") is None, "null is not 0"


def test_a_play_is_credited_to_where_its_title_was_last_seen_before(sit, films, count):
    visit = sit()
    first, second, third = visit.slate(0), visit.slate(10), visit.slate(100)
    visit.see(films[0], 1, first, row="trending")
    visit.see(films[0], 11, second, row="top_picks")
    visit.watch(films[0], at=50, seconds=200)
    visit.see(films[0], 101, third, row="new")
    assert count("conversion_rate", "row", "trending") == (0, 1)
    assert told("conversion_rate", "row", "top_picks") == (1, 1)
    assert told("conversion_rate", "row", "new") == (0, 1)


def test_a_short_play_is_a_click_and_no_take(sit, films, count):
    visit = sit()
    visit.see(films[0])
    visit.watch(films[0], at=50, seconds=20)
    assert count("ctr") == (1, 1)
    assert told("conversion_rate") == (0, 1)


def test_a_place_seen_and_opened_twice_counts_once_and_an_opening_was_seen(sit, films, count):
    visit = sit()
    home = visit.slate()
    for second in range(2):
        visit.see(films[0], second, home)
        visit.event("open", films[0], second + 5, home)
    visit.event("open", films[1], 9, home, row="new", slot=3)
    assert count("ctr") == (2, 2)


def test_what_another_visit_watched_is_not_taken_here(sit, films, count):
    sit().see(films[0])
    sit().watch(films[0], at=5, seconds=500)
    assert count("conversion_rate") == (0, 1)


def test_far_slots_are_one(sit, films, count):
    visit = sit()
    visit.see(films[0], slot=20)
    visit.see(films[1], slot=39)
    assert count("ctr", "slot", "20 on") == (0, 2)


def test_suggestions_are_accepted_once_a_page(sit, films, count):
    visit = sit()
    for start, is_accepted in ((0, True), (100, False)):
        page = visit.slate(start, surface="prequery")
        for n in range(3):
            visit.see(films[n], start + n, page, row="suggestions", slot=n)
            if is_accepted:
                visit.event("open", films[n], start + 10 + n, page)
    assert count("prequery_acceptance") == (1, 2)


def test_coverage_and_gini_count_titles_that_nobody_saw(sit, films, count):
    """60 titles; one seen three times, one once: G = Σ(2i - 61)x / (60·4) = (1·57 + 3·59)/240."""
    for seen in ([0, 1], [0], [0]):
        visit = sit()
        home = visit.slate()
        for n in seen:
            visit.see(films[n], slate=home)
    assert count("coverage") == (2, 60)
    assert told("gini") == (57 + 3 * 59, 240)


def test_what_cannot_be_watched_is_not_in_the_catalogue(sit, films, count):
    Title.objects.exclude(pk__in=[f.pk for f in films[:4]]).update(is_available=False)
    visit = sit()
    visit.see(films[0])
    visit.see(films[10])
    assert count("coverage") == (1, 4)


def test_novelty_is_how_few_saw_it(sit, films, count, cast):
    """Four viewers: all see one title (0 bits), one sees another (2 bits)."""
    for profile in (cast.owner, cast.sibling, cast.stranger, None):
        visit = sit(profile)
        visit.see(films[0])
        visit.see(films[0], at=9)
        if profile == cast.owner:
            visit.see(films[1])
    assert count("novelty") == (pytest.approx(2), 5)


def test_diversity_is_one_less_the_mean_likeness_of_genres(sit, films, count):
    """Of three titles two are of one genre: one pair of three alike, 1 - 1/3."""
    visit = sit()
    home = visit.slate()
    for film in (films[0], films[1], films[20]):
        visit.see(film, slate=home)
    alone = visit.slate(50)
    visit.see(films[2], at=50, slate=alone)
    assert count("diversity") == (pytest.approx(2 / 3), 1)


def test_diversity_of_titles_with_several_genres(sit, films, count):
    """A western and a western romance: cosine 1/√2."""
    films[1].genres.add(films[20].genres.get())
    visit = sit()
    home = visit.slate()
    visit.see(films[0], slate=home)
    visit.see(films[1], slate=home)
    assert count("diversity") == (pytest.approx(1 - 1 / math.sqrt(2), abs=1e-6), 1)


def test_a_deleted_title_is_in_no_rate_any_more(sit, films, count):
    visit = sit()
    home = visit.slate(rows=[("trending", films[:2])])
    visit.see(films[0], slate=home)
    visit.see(films[1], slate=home)
    films[1].delete()
    assert count("ctr") == (0, 1)
    assert told("coverage") == (1, 59)
