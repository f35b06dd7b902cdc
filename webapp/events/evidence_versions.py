"""The version of a profile's evidence, as a request read it: tells whether kept evidence holds.

The database raises it with whatever evidence is read from (`profiles.EvidenceVersion`).
"""

from dataclasses import dataclass


@dataclass
class EvidenceVersionRead:
    """The version at one moment of a request.

    What is read from the database after that moment is at least as new as the version. A request
    that writes forgets what it read, and reads anew when it asks.

    Attributes:
        number: None where nothing of the profile's evidence ever changed.
        is_known: whether the number was read and this request has written nothing since.
    """

    number: int | None = None
    is_known: bool = False

    def forget(self) -> None:
        """Note that this request writes."""
        self.is_known = False

    def note(self, number: int | None) -> None:
        """Keep the number that was read before the evidence."""
        self.number, self.is_known = number, True
