"""Rules and synonyms as this process holds them: a text and a moment in, what is decided out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from search.synonyms import Synonyms
from search.text import fold
from webapp.discovery.curation import UNCURATED, Curation, Pin
from webapp.refreshed import Refreshed
from webapp.rules.models import Rule, Synonym, lines_of

Act = Rule.Act


@dataclass(frozen=True)
class SearchRules:
    """Rules by the folded text that they are for, and synonyms; threads may share it."""

    by_text: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    synonyms: Synonyms = field(default_factory=Synonyms)

    @classmethod
    def of(cls, rules: Iterable[Rule], synonyms: Iterable[Synonym]) -> "SearchRules":
        by_text: dict[str, list[Rule]] = {}
        for rule in rules:
            for text in rule.folded_queries:
                by_text.setdefault(text, []).append(rule)
        return cls(
            {text: tuple(of_text) for text, of_text in by_text.items()},
            Synonyms(lines_of(synonym.phrases) for synonym in synonyms if synonym.is_active),
        )

    def curation(self, text: str, now: datetime) -> Curation:
        """Return what is decided for a search."""
        rules, variants = self._of(text, now), self.synonyms.variants(text)
        pins = [rule for rule in rules if rule.act == Act.PIN]
        hides = [rule for rule in rules if rule.act == Act.HIDE]
        if not pins and not hides and not variants:
            return UNCURATED
        return Curation(
            tuple(Pin(rule.title_id, rule.position) for rule in pins if rule.title_id is not None),
            tuple(rule.title_id for rule in hides if rule.title_id is not None),
            variants,
            tuple(rule.pk for rule in (*pins, *hides)),
        )

    def redirect(self, text: str, now: datetime) -> str:
        """Return where a search leads instead of to its results; empty for nowhere else."""
        addresses = (rule.address for rule in self._of(text, now) if rule.act == Act.REDIRECT)
        return next(addresses, "")

    def _of(self, text: str, now: datetime) -> list[Rule]:
        if not self.by_text:
            return []
        return [rule for rule in self.by_text.get(fold(text), ()) if rule.is_in_effect(now)]


def _read(_: SearchRules | None) -> SearchRules:
    """Read all that has not ended. Two queries."""
    rules = Rule.objects.not_ended(datetime.now(UTC))
    return SearchRules.of(rules, Synonym.objects.filter(is_active=True))


search_rules: Refreshed[SearchRules] = Refreshed("search rules", _read, otherwise=SearchRules())
"""This process's; read anew every `RELEASE_POLL_SECONDS`."""
