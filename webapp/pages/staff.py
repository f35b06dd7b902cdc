"""What an operator sees of training: runs, curves, releases, the gate's verdicts."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from webapp.engine.live import holder
from webapp.events.models import Slate
from webapp.releases.models import Release, TrainingRun

RUNS_SHOWN = 20
WIDTH, HEIGHT = 320, 90
MEASURES = {
    "observed_loss": "Loss on liked pairs",
    "unobserved_loss": "Loss on all pairs",
    "regularization": "Regularisation",
    "ndcg@100": "NDCG@100",
}
"""What iALS tells of each epoch, and what it is called here (docs/metrics.md)."""
RESULTS = ("ndcg@100", "recall@20", "recall@50")


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
class RunView:
    """A run, its curves, the numbers behind them by epoch, and each model's results."""

    run: TrainingRun
    curves: list[Curve]
    epochs: list[tuple[int, list[float | None]]]
    results: list[tuple[str, list[float | None]]]

    @classmethod
    def of(cls, run: TrainingRun) -> "RunView":
        points = run.metrics.get("ials", {}).get("curve", [])
        curves = curves_of(points)
        epochs = [(point["epoch"], [point.get(c.name) for c in curves]) for point in points]
        models = {name: told for name, told in run.metrics.items() if RESULTS[0] in told}
        results = [(name, [told.get(key) for key in RESULTS]) for name, told in models.items()]
        return cls(run, curves, epochs, results)


@login_required
@require_safe
def training(request: HttpRequest) -> HttpResponse:
    """Training runs and releases; for staff."""
    if not request.user.is_staff:
        raise PermissionDenied
    runs = list(TrainingRun.objects.select_related("release")[:RUNS_SHOWN])
    slates = Slate.objects.order_by("-created_at").values_list("fallback_reason", flat=True)[:1000]
    context = {
        "runs": [RunView.of(run) for run in runs],
        "releases": Release.objects.select_related("run")[:RUNS_SHOWN],
        "results": RESULTS,
        "live": holder.peek(),
        "slates": len(slates),
        "fallbacks": sum(bool(reason) for reason in slates),
    }
    return render(request, "pages/training.html", context)


def curves_of(points: list[dict[str, Any]]) -> list[Curve]:
    """One curve for each measure that the epochs told of."""
    columns = {name: [p[name] for p in points if p.get(name) is not None] for name in MEASURES}
    return [Curve(name, values) for name, values in columns.items() if values]
