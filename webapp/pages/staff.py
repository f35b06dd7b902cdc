"""Training page for staff: runs with curves and results, releases, rankers, click rates."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from webapp.engine.live import holder
from webapp.pages.dashboards.serving import VIEW_DASHBOARDS, pages_of, staff_only
from webapp.releases.models import RankerVersion, Release, TrainingRun
from webapp.slates.click_rates import clicks_by_history_size
from webapp.slates.models import Slate
from webapp.slates.readiness import readiness

RUNS_SHOWN = 20
CLICKS_OVER = timedelta(days=30)
WIDTH, HEIGHT = 320, 90
MEASURES = {
    "observed_loss": "Loss on liked pairs",
    "unobserved_loss": "Loss on all pairs",
    "regularization": "Regularisation",
    "loss": "Loss",
    "ndcg@100": "NDCG@100",
    "training_ndcg": "NDCG@100 on training data",
    "effective_share": "Effective share of the profiles",
    "mrr@20": "MRR@20",
    "auc": "AUC on the newest part",
}
"""Labels of the measures that models report each epoch (docs/metrics.md)."""
MODELS = {
    "ials": "History (iALS)",
    "larm": "Neighbours (R-LARM)",
    "session_encoder": "This visit (session encoder)",
    "ranker": "Order of lists (FiFa)",
}
"""Labels of the models that report a curve."""
RESULTS = ("ndcg@100", "recall@20", "recall@50")
VISIT_RESULTS = ("hr@20", "mrr@20")


@dataclass(frozen=True)
class Curve:
    """One measure over the epochs, drawn and in numbers."""

    name: str
    values: list[float]

    @property
    def points(self) -> str:
        """The line of an SVG polyline, the whole range from bottom to top."""
        low, high = min(self.values), max(self.values)
        scale = (high - low) or 1.0
        step = WIDTH / max(len(self.values) - 1, 1)
        return " ".join(
            f"{n * step:.1f},{HEIGHT - (value - low) / scale * HEIGHT:.1f}"
            for n, value in enumerate(self.values)
        )

    @property
    def label(self) -> str:
        return MEASURES.get(self.name, self.name)

    @property
    def first(self) -> float:
        return self.values[0]

    @property
    def last(self) -> float:
        return self.values[-1]


@dataclass(frozen=True)
class ModelView:
    """A model of a run: its curves, and the numbers behind them by epoch."""

    label: str
    curves: list[Curve]
    epochs: list[tuple[int, list[float | None]]]

    @classmethod
    def of(cls, name: str, points: list[dict[str, Any]]) -> "ModelView":
        curves = curves_of(points)
        epochs = [(point["epoch"], [point.get(c.name) for c in curves]) for point in points]
        return cls(MODELS[name], curves, epochs)


@dataclass(frozen=True)
class RunView:
    """A run, its models' curves, each model's results, and what a visit adds to the history."""

    run: TrainingRun
    models: list[ModelView]
    results: list[tuple[str, list[float | None]]]
    deciles: list[dict[str, Any]]
    """R-LARM next to EASE, by history size."""
    visit_results: list[tuple[str, list[float | None]]]
    requests: int
    """How many requests of held-out people the visit's results are of."""
    search_summary: str
    """Of the run's search for iALS's settings; empty where there was none."""

    @classmethod
    def of(cls, run: TrainingRun) -> "RunView":
        metrics = run.metrics
        return cls(
            run,
            [
                ModelView.of(name, metrics[name]["curve"])
                for name in MODELS
                if _has_curve(metrics, name)
            ],
            _in_columns(_results_by_model(metrics), RESULTS),
            metrics.get("larm", {}).get("by_history_size", []),
            _in_columns(metrics.get("session_encoder", {}).get("systems", {}), VISIT_RESULTS),
            metrics.get("session_encoder", {}).get("requests", 0),
            metrics.get("ials", {}).get("search", {}).get("summary", ""),
        )


@staff_only(VIEW_DASHBOARDS)
@require_safe
def training(request: HttpRequest) -> HttpResponse:
    """Training runs and releases; for staff."""
    now = timezone.now()
    runs = list(TrainingRun.objects.select_related("release", "ranker")[:RUNS_SHOWN])
    slates = Slate.objects.order_by("-created_at").values_list("fallback_reason", flat=True)[:1000]
    context = {
        "runs": [RunView.of(run) for run in runs],
        "releases": Release.objects.select_related("run")[:RUNS_SHOWN],
        "rankers": RankerVersion.objects.select_related("run")[:RUNS_SHOWN],
        "readiness": readiness(now),
        "results": RESULTS,
        "visit_results": VISIT_RESULTS,
        "clicks": clicks_by_history_size(now - CLICKS_OVER),
        "clicks_days": CLICKS_OVER.days,
        "live": holder.peek(),
        "slates": len(slates),
        "fallbacks": sum(bool(reason) for reason in slates),
        "pages": pages_of(request),
    }
    return render(request, "pages/training.html", context)


def curves_of(points: list[dict[str, Any]]) -> list[Curve]:
    """Return one curve for each measure that the epochs report."""
    columns = {name: [p[name] for p in points if p.get(name) is not None] for name in MEASURES}
    return [Curve(name, values) for name, values in columns.items() if values]


def _results_by_model(metrics: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the results of each model, with R-LARM's comparison systems beside them."""
    results: dict[str, dict[str, Any]] = dict(metrics.get("larm", {}).get("systems", {}))
    for name, values in metrics.items():
        if RESULTS[0] in values:
            results[f"{name}, as published" if name == "larm" else name] = values
    return results


def _has_curve(metrics: dict[str, Any], name: str) -> bool:
    return bool(metrics.get(name, {}).get("curve"))


def _in_columns(
    results: dict[str, dict[str, Any]], columns: tuple[str, ...]
) -> list[tuple[str, list[float | None]]]:
    return [(name, [values.get(column) for column in columns]) for name, values in results.items()]
