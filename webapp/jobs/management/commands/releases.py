"""manage.py releases: list what was trained, publish one, or roll back."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recommender.training.gates import RELEASE_METRIC
from webapp.engine.trial import try_release
from webapp.releases.models import Release
from webapp.releases.publishing import previous, publish


class Command(BaseCommand):
    help = "List the releases; --publish N makes one live, --roll-back the one before."

    def add_arguments(self, parser: ArgumentParser) -> None:
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--publish", type=int, metavar="N", help="make release N live")
        choice.add_argument("--roll-back", action="store_true", help="make the last one live again")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["publish"] is not None:
            self._publish(Release.objects.filter(pk=options["publish"]).first())
        elif options["roll_back"]:
            self._publish(previous(Release))
        for release in Release.objects.all()[:20]:
            value = release.metrics.get("ials", {}).get(RELEASE_METRIC)
            shown = "" if value is None else f"{RELEASE_METRIC} {value:.4f}"
            self.stdout.write(f"{release}  {release.created_at:%Y-%m-%d %H:%M} UTC  {shown}")

    def _publish(self, release: Release | None) -> None:
        if release is None:
            raise CommandError("There is no such release. `manage.py releases` lists them.")
        try:
            try_release(release)
        except Exception as error:
            raise CommandError(
                f"Release {release.pk} is not published, for it failed its trial: "
                f"{error or type(error).__name__}. Train anew, or publish another."
            ) from error
        publish(release, timezone.now())
