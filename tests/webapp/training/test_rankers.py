"""A ranker learns from what was seen, has the last word, is tested, and can be taken back."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from recommender.ranking.features import CATEGORIES, NUMBERS
from webapp.discovery.ranker_fields import unpack_fields
from webapp.engine import responses
from webapp.engine.live import holder
from webapp.engine.replay import replay
from webapp.events.ingest import EventDraft, record_events
from webapp.events.models import Event, Visit
from webapp.events.visits import current_visit
from webapp.jobs import tasks
from webapp.releases.models import RankerVersion, TrainingRun
from webapp.releases.publishing import publish
from webapp.slates.labels import export_exposures, sampled_exposures
from webapp.slates.models import Slate
from webapp.slates.readiness import readiness
from webapp.training import rankers
from webapp.training.runs import queue_training, run_training

pytestmark = pytest.mark.django_db
Kind = TrainingRun.Kind
GENRE = CATEGORIES.index("genre_1")


def tell(visit, at, kind, title, slate_id=None, row="", **fields):
    draft = EventDraft(
        uuid4(), kind, title.pk, at, slate_id=slate_id, row=row, surface="home", **fields
    )
    report = record_events(visit, [draft], at)
    assert report.accepted == 1, report.errors


def sit(profile, at, row_kind="trending", takes="Western"):
    """A visit that sees the first six places of a row and opens those of a genre."""
    visit = replace(current_visit(None, profile, at), device="phone")
    page = responses.home(visit, at)
    row = next(row for row in page.rows if row.kind == row_kind)
    for slot in row.slots[:6]:
        tell(visit, at + timedelta(seconds=2), "impression", slot.title, page.slate_id, row.kind)
        if slot.title.genres.all()[0].name == takes:
            tell(visit, at + timedelta(seconds=9), "open", slot.title, page.slate_id, row.kind)
    return visit, page, row


@pytest.fixture
def evenings(release, cast, now, settings):
    """Seventy visits of the last two days, each of which opens Westerns."""
    settings.RANKER_MIN_SLATES = 40
    pass_evenings(cast, now, 70)


def pass_evenings(cast, now, count):
    for n in range(count):
        owner = (cast.owner, cast.stranger, None)[n % 3]
        at = now - timedelta(days=2) + timedelta(minutes=30 * n)
        sit(owner, at, "genre" if n % 2 else "trending")


def trained(kind, now=None):
    run = queue_training(lambda run_id: None, kind=kind)
    ended = run_training(run.pk)
    assert ended.status == "succeeded", ended.error
    return RankerVersion.objects.get(run=run)


def test_only_what_was_seen_is_an_example(release, cast, films, now):
    _, _, row = sit(cast.owner, now - timedelta(hours=2))
    window = export_exposures(now - timedelta(days=1), now)
    shown = {slot.title.pk: slot for slot in row.slots[:6]}
    items = window.examples.categories[:, CATEGORIES.index("item")]
    assert sorted(items) == sorted(shown)
    taken = {id_ for id_, slot in shown.items() if slot.title.genres.all()[0].name == "Western"}
    assert {int(id_) for id_ in items[window.examples.labels == 1]} == taken
    slots = window.examples.categories[:, CATEGORIES.index("slot")]
    assert {int(i): int(s) for i, s in zip(items, slots, strict=True)} == {
        id_: slot.slot + 1 for id_, slot in shown.items()
    }


def test_some_slates_are_drawn_and_the_same_ones_for_the_same_seed(release, cast, now):
    for n in range(5):
        sit(cast.owner, now - timedelta(hours=10 - n))
    between = now - timedelta(days=1), now
    drawn = [
        sampled_exposures(*between, 3, np.random.default_rng(seed), is_simulated=False)
        for seed in (1, 1, 2)
    ]
    assert [len(each) for each in drawn] == [18, 18, 18]
    assert drawn[0].at.tolist() == drawn[1].at.tolist() != drawn[2].at.tolist()
    everything = sampled_exposures(*between, 99, np.random.default_rng(3), is_simulated=False)
    assert everything.at.tolist() == export_exposures(*between).at.tolist()


def test_what_is_done_elsewhere_is_credited_within_the_visit_and_only_there(
    release, cast, films, now
):
    at = now - timedelta(hours=5)
    visit, _, row = sit(cast.owner, at, takes="nothing")
    chosen, other = row.slots[0].title, row.slots[1].title
    tell(visit, at + timedelta(minutes=3), "play", chosen, position_seconds=0)
    later = current_visit(None, cast.owner, at + timedelta(hours=2))
    tell(later, at + timedelta(hours=2), "play", other, position_seconds=0)
    examples = export_exposures(now - timedelta(days=1), now).examples
    taken = examples.categories[examples.labels == 1, CATEGORIES.index("item")]
    assert taken.tolist() == [chosen.pk]


def test_what_was_done_before_it_was_shown_takes_nothing(release, cast, films, now):
    at = now - timedelta(hours=5)
    visit = current_visit(None, cast.owner, at)
    tell(visit, at, "open", films[0])
    page = responses.title_page(visit, films[1], at)
    for slot in page.more_like.slots:
        tell(visit, at + timedelta(seconds=5), "impression", slot.title, page.slate_id, "more_like")
    assert export_exposures(now - timedelta(days=1), now).examples.labels.sum() == 0


def test_features_say_who_where_and_when(release, cast, films, now):
    _, page, _ = sit(cast.owner, now - timedelta(hours=2))
    stored = unpack_fields(Slate.objects.get(pk=page.slate_id).features or b"")
    column = {name: stored.categories[:, n] for n, name in enumerate(CATEGORIES)}
    assert len(stored) == sum(len(row.slots) for row in page.rows)
    assert set(column["profile"]) == {cast.owner.pk}
    assert set(column["device"]) == {1}
    assert set(column["hour"]) == {1 + (now - timedelta(hours=2)).hour}
    assert column["slot"][: len(page.rows[0].slots)].tolist() == [
        slot.slot + 1 for slot in page.rows[0].slots
    ]
    assert np.isfinite(stored.numbers).all()


def test_features_know_both_tastes_and_the_gate(visit_release, people, films, now):
    visit = current_visit(None, people[0], now)
    tell(visit, now, "open", films[45])
    page = responses.home(visit, now)
    stored = unpack_fields(Slate.objects.get(pk=page.slate_id).features or b"")
    number = {name: stored.numbers[:, n] for n, name in enumerate(NUMBERS)}
    assert all(abs(number[name]).max() > 0.5 for name in ("long", "session", "fused"))
    assert 0 < number["gate"][0] < 1
    assert set(stored.categories[:, CATEGORIES.index("visit_events")]) == {2}


def test_until_enough_was_seen_the_fused_score_orders(release, cast, now, settings):
    sit(cast.owner, now - timedelta(hours=3))
    settings.RANKER_MIN_SLATES = 2
    assert not rankers.is_due(Kind.TEACHER, now)
    sit(cast.owner, now - timedelta(hours=2))
    assert rankers.is_due(Kind.TEACHER, now)
    assert not rankers.is_due(Kind.INCREMENT, now)
    settings.RANKER_MIN_SLATES = 3
    tasks.queue_ranker_teacher()
    assert not TrainingRun.objects.filter(kind=Kind.TEACHER).exists()
    assert Slate.objects.order_by("-created_at")[0].ranker is None


def test_a_visit_that_goes_on_is_waited_for(release, cast, now, settings):
    sit(cast.owner, now - timedelta(minutes=5))
    assert readiness(now).slates == 0
    assert readiness(now + timedelta(hours=1)).slates == 1


def test_the_first_teacher_orders_lists_and_slates_replay_exactly(
    evenings, cast, films, now, settings
):
    version = trained(Kind.TEACHER)
    assert (version.is_live, version.start, version.run.kind) == (True, "scratch", Kind.TEACHER)
    assert version.verdict.candidate["auc"] > 0.9
    assert version.metrics["taken"] < version.metrics["examples"]
    holder.forget()
    visit = current_visit(None, cast.owner, now)
    page = responses.home(visit, now)
    slate = Slate.objects.get(pk=page.slate_id)
    assert slate.ranker == version
    mixed = next(row for row in slate.rows if row["kind"] in ("top_picks", "genre"))
    assert mixed["scores"][0] == max(mixed["scores"])  # the others are varied after ranking
    assert all(0 <= score <= 1 for score in mixed["scores"])
    for shown in (page, responses.prequery(visit, now), responses.search(visit, "number", now)):
        found = replay(Slate.objects.get(pk=shown.slate_id))
        assert (found.differences, found.feature_skew) == ([], 0.0)


def test_what_was_taken_before_comes_first_within_a_row(evenings, cast, films, now):
    trained(Kind.TEACHER)
    holder.forget()
    page = responses.search(current_visit(None, cast.stranger, now), "number", now)
    seen = set(Event.objects.filter(kind="impression").values_list("title_id", flat=True))
    is_western = [s.title.name.startswith("Western") for s in page.slots if s.title.pk in seen]
    assert any(is_western)
    assert is_western == sorted(is_western, reverse=True)


def test_no_chance_lifts_a_hit_out_of_its_band(evenings, cast, films, now):
    trained(Kind.TEACHER)
    holder.forget()
    page = responses.search(current_visit(None, cast.owner, now), "casablanca", now)
    assert page.slots[0].title == films[20]
    slate = Slate.objects.get(pk=page.slate_id)
    assert slate.rows[0]["scores"] == sorted(slate.rows[0]["scores"], reverse=True)


def test_an_increment_goes_on_from_the_live_one_and_says_so(evenings, cast, now):
    teacher = trained(Kind.TEACHER)
    begin = teacher.learned_until + timedelta(minutes=1)
    for n in range(60):
        sit(cast.owner, begin + timedelta(seconds=20 * n), "genre" if n % 2 else "trending")
    assert rankers.is_due(Kind.INCREMENT, now)
    version = trained(Kind.INCREMENT)
    assert (version.parent, version.teacher) == (teacher, teacher)
    assert version.start in ("live", "teacher")  # the teacher is the live one here
    assert version.learned_until > teacher.learned_until
    assert version.verdict.passed == version.is_live
    assert version.verdict.live["auc"] > 0.5
    publish(version, now)  # whatever its gate said: that goes by a hair
    out = StringIO()
    call_command("rankers", roll_back=True, stdout=out)
    teacher.refresh_from_db()
    assert teacher.is_live
    assert f"increment from {version.start}" in out.getvalue()
    call_command("rankers", off=True, stdout=StringIO())
    assert not RankerVersion.objects.filter(is_live=True).exists()
    holder.forget()
    assert holder.get().ranker_id is None


def test_a_days_teacher_replaces_no_live_ranker(evenings, now):
    first = trained(Kind.TEACHER)
    second = trained(Kind.TEACHER)
    first.refresh_from_db()
    assert (first.is_live, second.is_live) == (True, False)
    assert rankers.latest_teacher() == second


def test_a_ranker_that_cannot_be_read_leaves_the_order_to_the_score(evenings, cast, now, caplog):
    version = trained(Kind.TEACHER)
    for path in version.fetch().rglob("*.safetensors"):
        path.write_bytes(b"broken")
    holder.forget()
    page = responses.home(current_visit(None, cast.owner, now), now)
    assert not page.is_fallback
    assert Slate.objects.get(pk=page.slate_id).ranker is None
    assert "cannot be loaded, the fused score orders lists" in caplog.text


def test_an_unknown_ranker_and_a_run_without_examples_are_refused_in_words(release):
    with pytest.raises(CommandError, match="There is no such ranker"):
        call_command("rankers", publish=99)
    with pytest.raises(CommandError, match="nothing was seen"):
        call_command("rankers", train="teacher")


def test_impressions_alone_teach_no_ranker(release, cast, now):
    for n in range(5):
        sit(cast.owner, now - timedelta(hours=10 + n), takes="nothing")
    assert not Event.objects.filter(kind="open").exists()
    with pytest.raises(CommandError, match="too few"):
        call_command("rankers", train="teacher")


@pytest.fixture
def simulated_evenings(evenings, settings):
    """The seventy visits are simulated, and may teach."""
    Visit.objects.update(is_simulated=True)
    settings.RANKER_LEARNS_FROM_SIMULATED = True


def test_simulated_visits_and_programs_teach_only_where_that_is_wanted(
    simulated_evenings, cast, now, settings
):
    sit(cast.owner, now - timedelta(hours=3))
    visit, _, _ = sit(cast.owner, now - timedelta(hours=2))
    Visit.objects.filter(pk=visit.id).update(is_bot=True)
    ready = readiness(now)
    assert (ready.slates, ready.simulated, ready.only_simulated_ready) == (1, 70, True)
    assert len(export_exposures(now - timedelta(days=30), now)) == 6
    assert len(export_exposures(now - timedelta(days=30), now, is_simulated=True)) == 6 * 70
    assert rankers.is_due(Kind.TEACHER, now)
    settings.RANKER_LEARNS_FROM_SIMULATED = False
    assert readiness(now).simulated == 0
    assert not rankers.is_due(Kind.TEACHER, now)


def test_a_ranker_of_simulated_visits_says_so_and_gives_way_to_people(
    simulated_evenings, cast, client, now, settings
):
    tasks.queue_ranker_increment()
    first = TrainingRun.objects.get(kind=Kind.TEACHER)
    assert run_training(first.pk).status == "succeeded"
    version = first.ranker
    assert (version.is_simulated, version.is_live) == (True, True)
    assert version.metrics["examples"] == 6 * 70
    cast.owner.account.is_staff = cast.owner.account.is_superuser = True
    cast.owner.account.save()
    client.force_login(cast.owner.account)
    html = client.get("/staff/training/").content.decode()
    assert "simulated visits</span>" in html
    assert "the ranker learns from those alone until people have seen enough" in html
    out = StringIO()
    call_command("rankers", stdout=out)
    assert "70 by simulated viewers" in out.getvalue()
    assert "scratch, simulated visits" in out.getvalue()

    settings.RANKER_MIN_SLATES = 30
    pass_evenings(cast, now, 36)
    assert not readiness(now).only_simulated_ready
    assert not rankers.is_due(Kind.INCREMENT, now)  # what is live learned from the others
    real = trained(Kind.TEACHER)
    assert (real.is_simulated, real.is_live, real.parent, real.teacher) == (False, True, None, None)
    assert real.metrics["examples"] == 6 * 36

    settings.RANKER_MIN_SLATES = 40
    assert readiness(now).only_simulated_ready
    assert not rankers.is_due(Kind.TEACHER, now)
    with pytest.raises(CommandError, match="not replaced by a simulated one"):
        call_command("rankers", train="teacher")
