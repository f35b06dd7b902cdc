from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from recommender.errors import RecommenderError
from webapp.experiments import lifecycle
from webapp.experiments.lifecycle import ExperimentRefused
from webapp.experiments.models import BUILT_IN, Arm, Experiment
from webapp.experiments.outcomes import read_outcomes
from webapp.experiments.report import METRICS, keep_report, plan, trials

FEWEST_TO_TRY = 100
PERCENT = {"abandonment": ("%", 100), "conversion_rate": ("%", 100), "seconds_to_play": ("s", 1)}


class Command(BaseCommand):
    help = (
        "List experiments, or create, plan, start, stop and report one. The built-in one, "
        f"{BUILT_IN}, compares the session-aware site with one that knows the history alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", help="of the experiment; without it, list all")
        parser.add_argument(
            "--create",
            metavar="ARM=TREATMENT:SHARE",
            nargs="+",
            help="e.g. new=usual:0.5 old=long_term_only:0.5; the last arm is compared with; "
            "or lists=interleaved:1, where both share the lists of search and suggestions",
        )
        parser.add_argument("--question", default="", help="what it should answer")
        parser.add_argument(
            "--plan",
            type=float,
            nargs=3,
            metavar=("ABANDONMENT", "VISITS", "DIFFERENCE"),
            help="before the start: abandonment now, visits expected, difference worth finding",
        )
        parser.add_argument(
            "--design", type=float, default=1.0, help="how much more profiles vary than visits"
        )
        parser.add_argument("--start", action="store_true")
        parser.add_argument("--at", help="start at this moment of the past (ISO 8601)")
        parser.add_argument("--stop", action="store_true")
        parser.add_argument("--report", action="store_true", help="work out what it shows now")
        parser.add_argument(
            "--simulated", action="store_true", help="--create it for simulated viewers, not people"
        )
        parser.add_argument(
            "--by",
            choices=Experiment.Unit.values,
            default=Experiment.Unit.PROFILE,
            help="--create it with each profile in one arm, or with each visit by itself",
        )
        parser.add_argument(
            "--try",
            type=int,
            dest="partings",
            metavar="N",
            help="part the visits at random N times: how often is an effect found that is none",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["name"] is None:
            self._list()
            return
        try:
            experiment = self._find(options)
            if options["plan"]:
                self._plan(experiment, options)
            if options["start"]:
                lifecycle.start(experiment, _moment(options["at"]))
                self.stdout.write(
                    f"{experiment} runs, since {experiment.started_at:%Y-%m-%d %H:%M}"
                )
            if options["stop"]:
                lifecycle.stop(experiment, timezone.now())
                self.stdout.write(f"{experiment} is stopped; everyone is served as usual")
            if options["report"]:
                self._report(experiment)
            if options["partings"]:
                self._try(experiment, options["partings"])
        except (ExperimentRefused, RecommenderError) as error:
            raise CommandError(str(error)) from error

    def _find(self, options: dict[str, Any]) -> Experiment:
        if options["create"]:
            arms = [_arm(text) for text in options["create"]]
            return lifecycle.create(
                options["name"], arms, options["question"],
                is_simulated=options["simulated"], unit=options["by"],
            )  # fmt: skip
        if options["name"] == BUILT_IN:
            return lifecycle.built_in()
        found = Experiment.objects.filter(name=options["name"]).first()
        if found is None:
            raise CommandError(f"there is no experiment {options['name']}; --create makes one")
        return found

    def _list(self) -> None:
        for experiment in Experiment.objects.all():
            arms = ", ".join(f"{arm.name} {arm.share:.0%}" for arm in experiment.the_arms)
            who = ", of simulated viewers" if experiment.is_simulated else ""
            self.stdout.write(
                f"{experiment}: {experiment.status}{who}; {arms}. {experiment.question}"
            )
        if not Experiment.objects.exists():
            self.stdout.write(f"No experiments yet: `experiments {BUILT_IN} --start` begins one.")

    def _plan(self, experiment: Experiment, options: dict[str, Any]) -> None:
        if experiment.status != Experiment.Status.DRAFT:
            raise CommandError(f"{experiment} has begun: an experiment is planned before")
        if len(experiment.the_arms) == 1:
            raise CommandError(f"{experiment} has one arm: there are no arms to compare")
        baseline, visits, difference = options["plan"]
        planned = plan(
            experiment, baseline, int(visits), difference=difference, design=options["design"]
        )
        experiment.plan = planned
        experiment.save(update_fields=["plan"])
        self.stdout.write(
            f"With {int(visits):,} visits a difference of {planned['detectable']:.2%} in "
            f"abandonment is found 4 times in 5; one of {difference:.2%} needs "
            f"{planned['needed_an_arm']:,} visits in each arm."
        )

    def _report(self, experiment: Experiment) -> None:
        if experiment.status == Experiment.Status.DRAFT:
            raise CommandError(f"{experiment} has not begun")
        report = keep_report(experiment, timezone.now())
        who = "simulated viewers" if experiment.is_simulated else "people"
        self.stdout.write(f"{experiment}, {report['visits']:,} visits of {who}")
        self._compare(report)
        if drafts := report["drafts"]:
            self.stdout.write(_preference(drafts))
        later = report["first_sign"]
        self.stdout.write(f"from the first sign on, {later['visits']:,} visits of {who}")
        for arm, share in later["shares"].items():
            if share["value"] is not None:
                p = "" if share["p"] is None else f", p = {share['p']:.3g}"
                self.stdout.write(f"  {arm}: {share['value']:.1%} of visits had a first sign{p}")
        self._compare(later)

    def _compare(self, report: dict[str, Any]) -> None:
        """Write each arm's metrics and the arms' differences."""
        if report["sizes"]["warning"]:
            self.stdout.write(self.style.WARNING(report["sizes"]["warning"]))
        for arm, summary in report["arms"].items():
            self.stdout.write(f"  {arm}: {summary['visits']:,} visits of {summary['profiles']:,}")
            for metric in METRICS:
                self.stdout.write(f"    {metric}: {_span(summary[metric], metric)}")
            median = _span(summary["median_seconds_to_play"], "seconds_to_play")
            self.stdout.write(f"    median_seconds_to_play: {median}")
        for each in report["effects"]:
            self.stdout.write(f"  {each['arm']} less {each['against']}:")
            for metric in METRICS:
                effect = each[metric]
                self.stdout.write(
                    f"    {metric}: {_span(effect['difference'], metric)}, p = {effect['p']:.3g}; "
                    f"at any look {_span(effect['always'], metric)}, p = {effect['always_p']:.3g}"
                )

    def _try(self, experiment: Experiment, partings: int) -> None:
        found = read_outcomes(experiment, settled=timezone.now())
        if len(found) < FEWEST_TO_TRY:
            raise CommandError(f"{FEWEST_TO_TRY} visits are needed to try the tests on")
        for trial in trials(found, partings, experiment.unit):
            planted = f"{trial.planted:.2%} planted" if trial.planted else "A against A"
            self.stdout.write(
                f"{planted}, {len(found):,} visits parted {partings} times: p < .05 in "
                f"{trial.rejected:.1%}, 0 outside the interval in {trial.outside:.1%}, sequential "
                f"p < .05 in {trial.rejected_always:.1%}"
            )


def _preference(drafts: dict[str, Any]) -> str:
    words = (
        f"  drafted lists: {drafts['shown']:,}, {drafts['clicked']:,} with a click, "
        f"{drafts['decided']:,} won by either"
    )
    if not (won := drafts["won"]):
        return words
    once, always = (
        f"({100 * won[of]['low']:.1f} to {100 * won[of]['high']:.1f})" for of in ("once", "always")
    )
    return (
        f"{words}; {100 * won['once']['value']:.1f} % {once} of these by the usual "
        f"order (50 % is no preference), p = {won['p']:.3g}; at any look {always}, "
        f"p = {won['always_p']:.3g}"
    )


def _span(interval: dict[str, Any] | None, metric: str) -> str:
    if interval is None:
        return "not known"
    unit, times = PERCENT[metric]
    value, low, high = (
        "-" if interval[name] is None else f"{times * interval[name]:.2f}"
        for name in ("value", "low", "high")
    )
    return f"{value} {unit} ({low} to {high})"


def _arm(text: str) -> Arm:
    name, _, rest = text.partition("=")
    treatment, _, share = rest.partition(":")
    try:
        return Arm(name, treatment, float(share))
    except ValueError:
        raise CommandError(f"an arm is written NAME=TREATMENT:SHARE, got {text}") from None


def _moment(text: str | None) -> datetime:
    now = timezone.now()
    if text is None:
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--at must be an ISO 8601 time, got {text}") from None
    moment = moment if moment.tzinfo else timezone.make_aware(moment)
    if moment > now:
        raise CommandError(f"--at must lie in the past, got {text}")
    return moment
