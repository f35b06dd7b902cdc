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
    def last(self) -> float:
        return self.values[-1]


@login_required
@require_safe
def training(request: HttpRequest) -> HttpResponse:
    """Training runs and releases; for staff."""
    if not request.user.is_staff:
        raise PermissionDenied
    runs = list(TrainingRun.objects.select_related("release")[:RUNS_SHOWN])
    slates = Slate.objects.order_by("-created_at").values_list("fallback_reason", flat=True)[:1000]
    context = {
        "runs": [(run, curves_of(run.metrics)) for run in runs],
        "releases": Release.objects.select_related("run")[:RUNS_SHOWN],
        "live": holder.peek(),
        "slates": len(slates),
        "fallbacks": sum(bool(reason) for reason in slates),
    }
    return render(request, "pages/training.html", context)


def curves_of(metrics: dict[str, Any]) -> list[Curve]:
    """The curves of iALS's run: parts of the loss, and the validation metric."""
    points = metrics.get("ials", {}).get("curve", [])
    names = ("observed_loss", "unobserved_loss", "regularization", "ndcg@100")
    columns = {name: [p[name] for p in points if p.get(name) is not None] for name in names}
    return [Curve(name, values) for name, values in columns.items() if values]
