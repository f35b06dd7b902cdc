from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from recommender.errors import InvalidInputError
from webapp.slates.exploration_slots import estimates, read_exploration


class Command(BaseCommand):
    help = (
        "Estimate the click rate of exploration slots if they never explored, showing the title "
        "that is due, and if they always explored, showing one from behind the row."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="how many days back")
        parser.add_argument(
            "--simulated", action="store_true", help="of simulated viewers, not of people"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        since = now - timedelta(days=options["days"])
        log = read_exploration(since, now, simulated=options["simulated"])
        try:
            by_policy = estimates(log)
        except InvalidInputError as error:
            raise CommandError(
                f"too few exploration slots were seen in {options['days']} days: {error}"
            ) from error
        self.stdout.write(
            f"{len(log.clicked):,} exploration slots were seen; {int(log.is_due.sum()):,} held "
            f"the title that was due, {int(log.clicked.sum()):,} were clicked."
        )
        for policy, policy_estimates in by_policy.items():
            for estimate in policy_estimates:
                reward = estimate.reward
                self.stdout.write(
                    f"  {policy}, {estimate.method}: {reward.value:.2%} clicked "
                    f"({reward.low:.2%} to {reward.high:.2%}); counts as "
                    f"{estimate.effective_sample:,.0f} slots"
                )
                if estimate.warning:
                    self.stdout.write(self.style.WARNING(f"    {estimate.warning}"))
