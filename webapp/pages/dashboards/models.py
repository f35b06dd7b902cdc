"""The models dashboard: live release and ranker, their quality and for whom, and rollback."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from webapp.metrics.audit import record_act
from webapp.metrics.definitions import METRICS
from webapp.metrics.estimates import RatioEstimate
from webapp.metrics.formatting import format_value
from webapp.metrics.models import AuditEntry
from webapp.metrics.readings import Readings
from webapp.pages.dashboards.charts import Chart, Line, by_name, of_metric
from webapp.pages.dashboards.filters import DashboardFilters
from webapp.pages.dashboards.serving import (
    PUBLISH_RELEASE,
    Dashboard,
    Section,
    Table,
    dashboard,
    may,
    staff_only,
)
from webapp.pages.staff import MODELS, curves_of
from webapp.releases.models import RankerVersion, Release, TrainingRun
from webapp.releases.publishing import previous, publish

SHOWN = 20
GATE = "ndcg@100"
OFFLINE = {"ials": "iALS", "larm": "R-LARM"}
VISIT_SIDES = {
    "long-term only": "Long-term taste alone",
    "prior": "Visit intents (the prior)",
    "encoder": "Session encoder and gate",
    "mixture": "Learned mixture",
}
OF_RANKERS = {"auc": "AUC", "ece": "Calibration error"}


class RollBackForm(forms.Form):
    """The release that the operator saw live, and the one to go back to."""

    live = forms.IntegerField(min_value=1)
    release = forms.IntegerField(min_value=1)


@require_safe
@dashboard()
def models(request: HttpRequest, filters: DashboardFilters) -> Dashboard:
    """Seven queries, whatever the period holds."""
    readings = Readings.of(
        filters.period,
        is_simulated=filters.is_simulated,
        metrics=("conversion_rate", "abandonment", "model_age_hours"),
        dimensions={"all", "decile"},
    )
    releases = list(Release.objects.select_related("run")[:SHOWN])
    rankers = list(RankerVersion.objects.select_related("run", "parent", "teacher")[:SHOWN])
    live = next((release for release in releases if release.is_live), None)
    return Dashboard(
        "Models",
        "What serves, where it comes from, and how good it is. Curves and held-out results are of "
        f"training; rates are of {filters.description}.",
        sections=[
            Section("Releases", tables=[_releases(releases), _rankers(rankers)]),
            Section(
                "Quality by history size",
                [
                    *_by_tenth(live.run.metrics if live else {}),
                    *(
                        by_name(
                            METRICS[name], readings.by_slice(name, "decile"), "Tenth of history"
                        )
                        for name in ("conversion_rate", "abandonment")
                    ),
                ],
            ),
            Section("Reading of visits", tables=[_visit_sides(live)]),
            Section(
                "Drift",
                [
                    _over_releases(releases),
                    _over_rankers(rankers),
                    *_age(readings, filters),
                ],
                lead="What each newly trained model reached on people held out from it, and what "
                "each ranker reached on the newest events before it learned from them.",
            ),
            Section("Curves of the live release", _curves(live.run if live else None)),
        ],
        template="staff/models.html",
        extra={
            "live": live,
            "back": previous(Release) if live else None,
            "may_publish": may(request, PUBLISH_RELEASE),
        },
    )


@require_POST
@staff_only(PUBLISH_RELEASE)
def roll_back(request: HttpRequest) -> HttpResponse:
    """Make the release before the live one live again, if both are those that were shown."""
    form = RollBackForm(request.POST)
    before, now = previous(Release), timezone.now()
    live = Release.objects.filter(is_live=True).first()
    is_as_seen = (
        form.is_valid()
        and before is not None
        and live is not None
        and (live.pk, before.pk) == (form.cleaned_data["live"], form.cleaned_data["release"])
    )
    if before is None or live is None or not is_as_seen:
        messages.error(request, "Nothing was changed: the releases are not those you saw.")
        return redirect("staff-models")
    what = f"release {before.pk} in place of release {live.pk}"
    publish(before, now)
    record_act(request.user, AuditEntry.Act.RELEASE_PUBLISHED, what, now)
    messages.success(request, f"Release {before.pk} is live; every process serves it in seconds.")
    return redirect("staff-models")


def _releases(releases: list[Release]) -> Table:
    return Table(
        "releases",
        "Releases and their lineage",
        [
            "Release",
            "State",
            "Made, UTC",
            "From",
            "Last live, UTC",
            "NDCG@100",
            "Gate",
        ],
        [
            [
                release.pk,
                "live"
                if release.is_live
                else ("was live" if release.published_at else "kept back"),
                f"{release.created_at:%Y-%m-%d %H:%M}",
                f"run {release.run_id}, seed {release.run.seed}",
                f"{release.published_at:%Y-%m-%d %H:%M}" if release.published_at else "never",
                _number(release.metrics.get("ials", {}).get(GATE)),
                release.gate_reason,
            ]
            for release in releases
        ],
        "Each comes from one training run. The gate holds it against the release that was live.",
        "No release yet: `manage.py train` asks for one.",
    )


def _rankers(rankers: list[RankerVersion]) -> Table:
    return Table(
        "rankers",
        "Rankers and their lineage",
        [
            "Ranker",
            "State",
            "Learned until, UTC",
            "Went on from",
            "Teacher",
            "AUC",
            "Gate",
        ],
        [
            [
                ranker.pk,
                "live" if ranker.is_live else ("was live" if ranker.published_at else "kept back"),
                f"{ranker.learned_until:%Y-%m-%d %H:%M}",
                f"ranker {ranker.parent_id}" if ranker.parent_id else "scratch",
                f"ranker {ranker.teacher_id}" if ranker.teacher_id else "none",
                _number(_reached(ranker).get("auc")),
                ranker.gate_reason,
            ]
            for ranker in rankers
        ],
        "A ranker has the last word on the order of lists.",
        "No ranker yet: the fused score of history and visit orders the lists.",
    )


def _visit_sides(live: Release | None) -> Table:
    """Which side of the live release reads visits, and the comparison that chose it."""
    visits = live.metrics.get("visits", {}) if live else {}
    rows = [
        [
            VISIT_SIDES.get(name, name),
            "live" if name == visits.get("visit_side") else "",
            _number(values["hr@20"]),
            _number(values["hr@20 after one event"]),
        ]
        for name, values in visits.get("sides", {}).items()
    ]
    reason = visits.get("reason", "The live release does not say what reads its visits.")
    of_whom = " The visits are simulated." if visits.get("is_simulated") else ""
    return Table(
        "visit-sides",
        "What reads a visit",
        ["Side", "State", "HR@20", "HR@20 after one event"],
        rows,
        f"{reason}{of_whom}",
        reason,
    )


def _age(readings: Readings, filters: DashboardFilters) -> list[Chart]:
    metric = METRICS["model_age_hours"]
    if not filters.shows(metric):
        return []
    return [of_metric(metric, filters.period.days, [(metric.label, readings.by_day(metric.name))])]


def _by_tenth(metrics: dict[str, Any]) -> list[Chart]:
    """R-LARM beside EASE on held-out profiles of the live release, by history size."""
    buckets = metrics.get("larm", {}).get("by_history_size", [])
    lines = [
        Line(label, [RatioEstimate(bucket.get(name)) for bucket in buckets])
        for name, label in (("ease", "EASE"), ("larm", "R-LARM"))
    ]
    return [
        Chart(
            "quality-by-tenth",
            "NDCG@100 by history size",
            "Held-out profiles of the live release in tenths by how many titles they liked; EASE "
            "is what R-LARM is held against.",
            "Tenth of history",
            [float(n) for n in range(1, len(buckets) + 1)],
            lines,
            "index",
            is_of_visits=False,
        )
    ]


def _over_releases(releases: list[Release]) -> Chart:
    found = sorted(releases, key=lambda release: release.pk)
    return Chart(
        "releases-quality",
        "NDCG@100 on held-out profiles, by release",
        "What each release reached on profiles held out from its training.",
        "Release",
        [float(release.pk) for release in found],
        [
            Line(label, [RatioEstimate(r.metrics.get(name, {}).get(GATE)) for r in found])
            for name, label in OFFLINE.items()
        ],
        "index",
        is_of_visits=False,
    )


def _over_rankers(rankers: list[RankerVersion]) -> Chart:
    found = sorted(rankers, key=lambda ranker: ranker.pk)
    return Chart(
        "rankers-quality",
        "AUC and calibration error on the newest events, by ranker",
        "What each ranker reached on the newest part of what it was trained with; the calibration "
        "error is the mean distance between chance and outcome.",
        "Ranker",
        [float(ranker.pk) for ranker in found],
        [
            Line(label, [RatioEstimate(_reached(ranker).get(name)) for ranker in found])
            for name, label in OF_RANKERS.items()
        ],
        "index",
        is_of_visits=False,
    )


def _curves(run: TrainingRun | None) -> list[Chart]:
    metrics = run.metrics if run else {}
    charts = []
    for name, label in MODELS.items():
        points = metrics.get(name, {}).get("curve", [])
        for curve in curves_of(points):
            measured = [point for point in points if point.get(curve.name) is not None]
            charts.append(
                Chart(
                    f"curve-{name}-{curve.name.replace('@', '-')}",
                    f"{label}: {curve.label}",
                    f"{curve.label} after each epoch of training.",
                    "Epoch",
                    [float(point["epoch"]) for point in measured],
                    [Line(curve.label, [RatioEstimate(value) for value in curve.values])],
                    "index",
                    is_of_visits=False,
                )
            )
    return charts


def _reached(ranker: RankerVersion) -> dict[str, Any]:
    reached: dict[str, Any] = ranker.metrics.get("reached", {})
    return reached


def _number(value: float | None) -> str:
    return format_value(value, "index")
