"""Search intents by hand: one run of typing, to a choice or to giving up."""

from datetime import timedelta

import pytest

from tests.webapp.metrics.conftest import AFTER, DAY, told
from webapp.metrics.daily import refresh
from webapp.metrics.models import DailyQuery

pytestmark = pytest.mark.django_db


def search(visit, text, at, found=()):
    visit.slate(at, surface="search", text=text, rows=[("results", found)] if found else [])
    return visit.event("search", at=at + 1, surface="search", query=text)


def test_typing_on_to_a_choice_is_one_intent(sit, films, count):
    visit = sit()
    for at, text in enumerate(("go", "god", "godf")):
        search(visit, text, at * 3, films[:2])
    visit.event("choose", films[0], 20, query="godf", surface="search")
    assert count("search_success") == (1, 1)
    assert told("reformulation") == (0, 1)
    assert told("characters_to_success") == (4, 1)
    assert told("zero_results") == (0, 1)


def test_another_text_is_a_reformulation_and_giving_up_is_no_success(sit, films, count):
    visit = sit()
    search(visit, "alien", 0, films[:1])
    search(visit, "solaris", 10)
    visit.event("open", films[5], 60, visit.slate(50))
    assert count("search_success") == (0, 1)
    assert told("reformulation") == (1, 1)
    assert told("zero_results") == (1, 1), "its last text found nothing"
    assert told("characters_to_success") is None


def test_after_a_choice_or_five_minutes_another_intent_begins(sit, films, count):
    visit = sit()
    search(visit, "alien", 0, films[:1])
    visit.event("choose", films[0], 5, query="alien", surface="search")
    search(visit, "solaris", 60, films[:1])
    search(visit, "metropolis", 60 + 302, films[:1])
    assert count("search_success") == (1, 3)
    assert told("reformulation") == (0, 3)


def test_a_choice_faster_than_the_search_event_is_an_intent(sit, films, count):
    visit = sit()
    visit.event("choose", films[0], 5, query="hi", surface="search")
    assert count("search_success") == (1, 1)
    assert told("characters_to_success") == (2, 1)
    assert told("zero_results") is None, "no answer is known: null is not 0"


def test_without_scripts_an_opening_from_the_results_is_a_success_once(sit, films, count):
    visit = sit()
    results = visit.slate(0, surface="search", text="noon")
    visit.event("open", films[1], 5, results)
    visit.event("open", films[2], 9, results)
    assert count("search_success") == (1, 1)


def test_the_opening_that_follows_a_choice_is_the_same_success(sit, films, count):
    visit = sit()
    results = visit.slate(0, surface="search", text="noon", rows=[("results", films[:2])])
    search(visit, "noon", 0, films[:2])
    visit.event("choose", films[1], 5, results, query="noon")
    visit.event("open", films[1], 6, results)
    assert count("search_success") == (1, 1)


@pytest.mark.parametrize("value", ["person", "genre"])
def test_a_person_or_a_genre_chosen_is_a_success_and_an_end(sit, count, value):
    visit = sit()
    visit.event("search", at=1, surface="search", query="leone", value=value)
    visit.event("search", at=9, surface="search", query="alien", value="quit")
    assert count("search_success") == (1, 2)
    assert told("reformulation") == (0, 2)
    assert told("characters_to_success") is None


def test_the_answer_of_a_search_is_the_slate_it_names(sit, films, count):
    visit = sit()
    found = visit.slate(0, surface="search", text="alien", rows=[("results", films[:1])])
    visit.slate(1, surface="search", text="alien")
    visit.event("search", at=2, slate=found, query="alien", value="submit")
    assert count("zero_results") == (0, 1)


def test_answers_to_keystrokes_are_in_no_metric_for_they_do_not_stay(sit, films, count):
    visit = sit()
    visit.slate(0, surface="search", text="noon", is_keystroke=True, took_ms=900)
    visit.event("search", at=2, surface="search", query="Noon ")
    assert count("zero_results") is None
    assert told("response_p50_ms") is None
    assert told("search_success") == (0, 1)


def test_a_day_without_searches_has_no_search_metric(sit, films, count):
    sit().see(films[0])
    assert count("search_success") is None
    assert told("reformulation") is None


def test_texts_are_kept_with_how_they_failed(sit, films, count):
    for text, found in (("Solaris", films[:1]), ("solaris", ()), ("alien", ())):
        search(sit(), text, 0, found)
    visit = sit()
    search(visit, "solaris", 0, films[:1])
    visit.event("choose", films[0], 9, query="solaris", surface="search")
    count("search_success")
    kept = DailyQuery.objects.filter(day=DAY).order_by("query")
    assert list(kept.values_list("query", "intents", "failed", "empty")) == [
        ("alien", 1, 1, 1),
        ("solaris", 3, 2, 1),
    ]


def test_texts_go_with_the_slates_of_their_day(sit, films, count):
    search(sit(), "alien", 0)
    refresh(AFTER)
    assert DailyQuery.objects.count() == 1
    refresh(AFTER + timedelta(days=100))
    assert not DailyQuery.objects.exists()
    assert told("search_success") == (0, 1), "the numbers stay"
