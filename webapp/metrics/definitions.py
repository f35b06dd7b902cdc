"""The registry of metrics: meaning, denominator, unit and slices; docs/metrics.md has formulas."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["share", "seconds", "hours", "milliseconds", "bits", "characters", "titles", "index"]

VISIT_SLICES = ("all", "arm", "decile")
SURFACE_SLICES = (*VISIT_SLICES, "surface")
PLACE_SLICES = (*SURFACE_SLICES, "row", "slot")
WHOLE = ("all",)


@dataclass(frozen=True)
class Metric:
    """A metric that days keep numerator and denominator of.

    Attributes:
        name: as in the database and the documentation.
        label: for people.
        meaning: one sentence that defines it.
        of: what the denominator counts.
        dimensions: how it is parted.
        is_better_low: whether less of it is better; None where neither is.
        has_interval: whether viewers' moments are kept.
        is_of_people_only: whether simulated visits have none.
    """

    name: str
    label: str
    meaning: str
    of: str
    unit: Unit = "share"
    dimensions: tuple[str, ...] = VISIT_SLICES
    is_better_low: bool | None = None
    has_interval: bool = True
    is_of_people_only: bool = False


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "abandonment",
            "Abandoned visits",
            "Visits that saw something on home, before a query or in search, and ended without a "
            "qualified play: two minutes watched, or 70 % of a title shorter than that.",
            "visits with an impression there",
            is_better_low=True,
        ),
        Metric(
            "good_abandonment",
            "Good abandonment",
            "Abandoned visits that added a title to the list or rated one.",
            "visits with an impression on home, before a query or in search",
        ),
        Metric(
            "conversion_rate",
            "Conversion rate",
            "Positions seen that a qualified play of the same visit is credited to: where its "
            "title was last seen before it began.",
            "positions seen",
            dimensions=PLACE_SLICES,
            is_better_low=False,
        ),
        Metric(
            "ctr",
            "Click-through rate",
            "Positions seen whose title was opened, chosen or played from there.",
            "positions seen",
            dimensions=PLACE_SLICES,
            is_better_low=False,
        ),
        Metric(
            "search_success",
            "Search success",
            "Search intents that ended with a title, a person or a genre chosen. An intent is one "
            "run of typing, to a choice or to giving up.",
            "search intents",
            is_better_low=False,
        ),
        Metric(
            "zero_results",
            "Searches without results",
            "Search intents whose last text found nothing.",
            "search intents whose last answer is known",
            is_better_low=True,
        ),
        Metric(
            "reformulation",
            "Reformulated searches",
            "Search intents in which another text was tried: neither went on with the other.",
            "search intents",
            is_better_low=True,
        ),
        Metric(
            "characters_to_success",
            "Characters before success",
            "How long the text was when a title was chosen.",
            "search intents with a choice",
            "characters",
            is_better_low=True,
        ),
        Metric(
            "prequery_acceptance",
            "Suggestions accepted before a query",
            "Pages of suggestions, seen before anything was typed, from which a title was opened "
            "or played.",
            "pages of suggestions seen",
            is_better_low=False,
        ),
        Metric(
            "coverage",
            "Catalogue coverage",
            "Titles that anybody saw on the day.",
            "titles available at its end",
            dimensions=WHOLE,
            has_interval=False,
        ),
        Metric(
            "gini",
            "Gini index of what is seen",
            "How unevenly being seen is spread over the catalogue: 0 all alike, 1 one title only.",
            "titles available, times positions seen",
            "index",
            dimensions=WHOLE,
            has_interval=False,
        ),
        Metric(
            "novelty",
            "Novelty",
            "How rare what a visit saw is: -log2 of the share of the day's viewers who saw it too.",
            "titles seen by a visit",
            "bits",
        ),
        Metric(
            "diversity",
            "Diversity within a slate",
            "One less the mean cosine of the genres of two titles seen on one slate.",
            "slates with two seen titles of known genre",
            "index",
        ),
        Metric(
            "row_redundancy",
            "Row redundancy",
            "Positions of a home page whose title stands on it already.",
            "positions of home pages, of a fixed sample",
            is_better_low=True,
        ),
        Metric(
            "exploration_share",
            "Exploration share",
            "Positions of a home page with a title from behind its row, by exploration.",
            "positions of home pages, of a fixed sample",
        ),
        Metric(
            "freshness",
            "Freshness",
            "Last pages of visits that were made with the newest thing the visit had done by then.",
            "visits whose last page followed an opening, a choice, a play or a search",
            is_better_low=False,
        ),
        Metric(
            "event_lag_seconds",
            "Event lag",
            "Time from what happened to its being on disk, when the next response knows it.",
            "events",
            "seconds",
            is_better_low=True,
        ),
        Metric(
            "event_lag_p95_seconds",
            "Event lag, 95th percentile",
            "The lag that 95 % of events do not exceed.",
            "events",
            "seconds",
            dimensions=WHOLE,
            is_better_low=True,
            has_interval=False,
        ),
        Metric(
            "model_age_hours",
            "Model age",
            "How long ago the release that answered was made. Simulated visits have none: they lie "
            "before the releases that answer them.",
            "responses of a release",
            "hours",
            dimensions=SURFACE_SLICES,
            is_better_low=True,
            is_of_people_only=True,
        ),
        Metric(
            "fallback_share",
            "Fallback share",
            "Responses of popular titles, for the recommender failed or was not there.",
            "responses",
            dimensions=SURFACE_SLICES,
            is_better_low=True,
        ),
        Metric(
            "response_p50_ms",
            "Response time, median",
            "Engine time that half of the responses do not exceed, from evidence to slate.",
            "responses",
            "milliseconds",
            dimensions=("all", "surface"),
            is_better_low=True,
            has_interval=False,
        ),
        Metric(
            "response_p95_ms",
            "Response time, 95th percentile",
            "Engine time that 95 % of the responses do not exceed.",
            "responses",
            "milliseconds",
            dimensions=("all", "surface"),
            is_better_low=True,
            has_interval=False,
        ),
        Metric(
            "response_p99_ms",
            "Response time, 99th percentile",
            "Engine time that 99 % of the responses do not exceed.",
            "responses",
            "milliseconds",
            dimensions=("all", "surface"),
            is_better_low=True,
            has_interval=False,
        ),
        Metric(
            "bot_share",
            "Programs",
            "Visits left out of every other metric: the browser said it is a program, or there "
            "were too many events for a person.",
            "visits",
            is_better_low=True,
        ),
        Metric(
            "history_size",
            "History size",
            "Titles liked before the visit.",
            "visits of profiles",
            "titles",
        ),
    )
}
TIME_TO_PLAY = Metric(
    "time_to_play",
    "Time to play",
    "Median time from the first impression to a qualified play by Kaplan and Meier: visits that "
    "end without one are known to have lasted so long.",
    "visits with an impression on home, before a query or in search",
    "seconds",
    is_better_low=True,
)
"""Kept as counts of times in bins (`DailyTimes`)."""
