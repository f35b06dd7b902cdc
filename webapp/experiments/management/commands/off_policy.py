from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from recommender.errors import InvalidInputError
from webapp.slates.exploration_slots import estimates, read_chances


class Command(BaseCommand):
    help = (
        "Say what slots left to chance tell: how often a title there would be clicked if the one "
        "that is due always stood there, and if one from behind the row always did."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="so many days back")
        parser.add_argument(
            "--simulated", action="store_true", help="of simulated viewers, not of people"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        since = now - timedelta(days=options["days"])
        chances = read_chances(since, now, simulated=options["simulated"])
        try:
            told = estimates(chances)
        except InvalidInputError as error:
            raise CommandError(
                f"too little was left to chance and seen in {options['days']} days: {error}"
            ) from error
        self.stdout.write(
            f"{len(chances.clicked):,} places left to chance were seen; at "
            f"{int(chances.is_due.sum()):,} the due title stood, "
            f"{int(chances.clicked.sum()):,} were clicked."
        )
        for policy, each in told.items():
            for estimate in each:
                reward = estimate.reward
                self.stdout.write(
                    f"  {policy}, {estimate.method}: {reward.value:.2%} clicked "
                    f"({reward.low:.2%} to {reward.high:.2%}); counts as "
                    f"{estimate.effective_sample:,.0f} places"
                )
                if estimate.warning:
                    self.stdout.write(self.style.WARNING(f"    {estimate.warning}"))
