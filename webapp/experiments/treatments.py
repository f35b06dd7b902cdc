"""What a treatment changes in the evidence that a response uses."""

from dataclasses import replace

from webapp.discovery.treatments import Treatment
from webapp.events.evidence import Evidence


def treated_evidence(evidence: Evidence, treatment: str) -> Evidence:
    """Return what may be used, in words too, of what is known.

    What is on the list, hidden or half watched stays known in every arm.
    """
    if treatment != Treatment.LONG_TERM_ONLY:
        return evidence
    return replace(evidence, recent=[e for e in evidence.recent if not e.is_this_visit])
