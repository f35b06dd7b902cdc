"""Rules and synonyms: what may be written, when a rule is in effect, and who is told."""

from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from webapp.discovery.curation import UNCURATED, Curation, Pin
from webapp.engine.polling import poller
from webapp.rules.models import Rule, Synonym
from webapp.rules.search_rules import SearchRules, search_rules

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def rule(act="pin", queries="batman", **fields):
    made = Rule(act=act, queries=queries, **fields)
    made.full_clean()
    made.save()
    return made


def rules_of(*rules, synonyms=()):
    return SearchRules.of(rules, [Synonym(phrases=text) for text in synonyms])


def test_a_rule_is_for_its_texts_whatever_their_case_and_marks(films):
    pin = rule(queries="Amélie\n  Amelie Poulain \n", title=films[0], position=2)
    hide = rule("hide", "amelie", title=films[1])
    decided = rules_of(pin, hide)
    wanted = Curation((Pin(films[0].pk, 2),), (films[1].pk,), (), (pin.pk, hide.pk))
    assert decided.curation("AMELIE", NOW) == wanted
    assert decided.curation("amelie poulain!", NOW).pins == (Pin(films[0].pk, 2),)
    assert decided.curation("amel", NOW) == UNCURATED


def test_a_rule_is_in_effect_from_its_beginning_up_to_its_end(films):
    soon, later = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    decided = rules_of(rule(title=films[0], begins_at=soon, ends_at=later))

    def is_in_effect(at):
        return bool(decided.curation("batman", at).pins)

    moments = (NOW, soon, later - timedelta(seconds=1), later)
    assert [is_in_effect(at) for at in moments] == [False, True, True, False]


def test_a_redirect_leads_away_and_curates_nothing():
    decided = rules_of(rule("redirect", "scary", address="/genre/horror/?sort=year"))
    assert decided.redirect("Scary!", NOW) == "/genre/horror/?sort=year"
    assert decided.redirect("scary film", NOW) == ""
    assert decided.curation("scary", NOW) == UNCURATED


def test_synonyms_give_every_search_its_variants():
    decided = rules_of(synonyms=["dr\ndoctor"])
    assert decided.curation("doctor no", NOW).variants == ("dr no",)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"act": "pin"}, "title"),
        ({"act": "hide"}, "title"),
        ({"act": "redirect"}, "address"),
        ({"act": "redirect", "address": "https://elsewhere.example/"}, "address"),
        ({"act": "redirect", "address": "//elsewhere.example/"}, "address"),
        ({"act": "redirect", "address": "/\\elsewhere.example/"}, "address"),
        ({"act": "redirect", "address": "/search/?q=x"}, "address"),
        ({"act": "redirect", "address": "/genre/a b/"}, "address"),
        ({"act": "redirect", "address": "/x/", "queries": " \n ?! "}, "queries"),
        ({"act": "redirect", "address": "/x/", "queries": "x" * 201}, "queries"),
        ({"act": "redirect", "address": "/x/", "position": 0}, "position"),
        ({"act": "redirect", "address": "/x/", "position": 21}, "position"),
        ({"act": "redirect", "address": "/x/", "begins_at": NOW, "ends_at": NOW}, "ends_at"),
    ],
)
def test_what_would_do_nothing_or_lead_astray_is_refused_in_words(fields, name):
    with pytest.raises(ValidationError) as refusal:
        rule(**fields)
    assert name in refusal.value.message_dict


@pytest.mark.parametrize("fields", [{"act": "pin"}, {"act": "redirect"}, {"act": "boost"}])
def test_the_database_holds_no_rule_without_what_it_needs(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        Rule.objects.create(queries="x", **fields)


@pytest.mark.parametrize("phrases", ["one", "same\nSAME!", "&\nand", "x" * 201 + "\ny", "?\n!"])
def test_synonyms_of_nothing_are_refused(phrases):
    with pytest.raises(ValidationError, match="phrases"):
        Synonym(phrases=phrases).full_clean()
    Synonym(phrases="and\n+").full_clean()


def test_a_rule_goes_with_its_title(films):
    pin = rule(title=films[0])
    films[0].delete()
    assert not Rule.objects.filter(pk=pin.pk).exists()


def test_each_process_reads_what_has_not_ended(films):
    rule(title=films[0], queries="over", ends_at=NOW - timedelta(days=1))
    rule(title=films[0], queries="now")
    Synonym.objects.create(phrases="flick\nfilm", is_active=False)
    Synonym.objects.create(phrases="telly\nseries")
    search_rules.forget()
    held = search_rules.get()
    assert set(held.by_text) == {"now"}
    assert held.synonyms.variants("telly") == ("series",)
    assert held.synonyms.variants("flick") == ()


def test_the_poller_brings_a_rule_to_a_process(films, settings, monkeypatch):
    settings.RELEASE_POLL_SECONDS = 0
    monkeypatch.setattr(search_rules, "is_polled", True)
    search_rules.refresh()
    rule(title=films[0])
    assert not search_rules.get().by_text
    assert search_rules.is_overdue
    search_rules.refresh()
    assert set(search_rules.get().by_text) == {"batman"}
    assert search_rules in poller._values


def test_a_site_begins_with_synonyms_that_are_such():
    Synonym.objects.all().delete()
    migration = import_module("webapp.rules.migrations.0002_default_synonyms")
    migration.add(SimpleNamespace(get_model=lambda *_: Synonym), None)
    for synonym in Synonym.objects.all():
        if str(synonym) != "& = and = +":
            synonym.full_clean()
    search_rules.forget()
    variants = search_rules.get().synonyms.variants
    assert variants("saint") == ("st",)
    assert variants("volume") == ("vol",)
    assert variants("romeo and juliet") == ("romeo juliet",)
    assert variants("2 towers")[0] == "two towers"
