"""Delete what is old enough to go, as the worker does every night; print what went."""

import resource
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from webapp.events.forgetting import erase_forgotten
from webapp.profiles.session_store import SessionStore
from webapp.releases.retention import prune_artifacts
from webapp.slates.retention import prune_slates, prune_visits


class Command(BaseCommand):
    help = "Delete old slates, events, visits, sessions and artifacts, as the settings say."

    def handle(self, *args: Any, **options: Any) -> None:
        now, before = timezone.now(), _peak_mb()
        slates, forgotten, events = prune_slates(now), erase_forgotten(now), prune_visits(now)
        SessionStore.clear_expired()
        artifacts = prune_artifacts()
        self.stdout.write(
            f"{slates:,} slates, {events:,} events of profiles, {forgotten:,} forgotten titles and "
            f"{artifacts:,} folders of artifacts deleted, "
            f"with at most {_peak_mb() - before:.0f} MB beside the {before:.0f} of the code"
        )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
