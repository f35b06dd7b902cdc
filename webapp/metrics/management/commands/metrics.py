from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.metrics.daily import DayRefused, count_day, days_to_count, first_day, refresh


class Command(BaseCommand):
    help = (
        "Count daily metrics: of the days that something came for, of one day, or of a range. "
        "Counting a day again gives the same."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--day", type=_day, metavar="YYYY-MM-DD", help="Count this day.")
        parser.add_argument("--from", type=_day, dest="first", metavar="YYYY-MM-DD")
        parser.add_argument(
            "--to", type=_day, dest="last", metavar="YYYY-MM-DD", help="Today if left out."
        )
        parser.add_argument("--list", action="store_true", help="Name the days to count and end.")

    def handle(self, *args: Any, **options: Any) -> None:
        now = datetime.now(UTC)
        if options["list"]:
            self.stdout.write("\n".join(map(str, days_to_count(now))) or "Nothing is new.")
            return
        try:
            counted = (
                [count_day(day, now) for day in _range(options, now)]
                if options["day"] or options["first"]
                else refresh(now)
            )
        except DayRefused as error:
            raise CommandError(str(error)) from error
        for each in counted:
            self.stdout.write(
                f"{each.day}: {each.visits} visits, {each.events} events, {each.took_seconds:.1f} s"
            )
        if not counted:
            self.stdout.write("Nothing is new.")


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _range(options: dict[str, Any], now: datetime) -> list[date]:
    if options["day"]:
        if options["first"] or options["last"]:
            raise CommandError("give either --day or --from, not both")
        return [options["day"]]
    first, last = options["first"], options["last"] or now.date()
    if last < first:
        raise CommandError(f"--to {last} lies before --from {first}")
    start = max(first, first_day(now)) if options["last"] is None else first
    return [start + timedelta(days=n) for n in range((last - start).days + 1)]
