"""What a release is: a rule with its parameters and place, and what it does to each request."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Place(StrEnum):
    """Where a rule is applied."""

    SITE = "site"
    NETWORK = "network"


class Treatment(StrEnum):
    """What a release does to one kind of request. A pair that is not listed is refused."""

    EXACT = "exact"
    SMALL_WITHHELD = "counts below the threshold are withheld"
    SMALL_ROUNDED = "counts below the threshold are shown as the greatest of them"
    LINKED_WITHHELD = (
        "counts below the threshold are withheld, and others from which they would follow"
    )
    LINKED_ROUNDED = (
        "counts below the threshold are shown as the greatest of them; others from which they "
        "would follow are withheld"
    )
    COHORT_AT_LEAST = "exact for a cohort of at least the threshold, otherwise withheld whole"
    ARMS_AT_LEAST = "exact for arms of at least the threshold, otherwise refused"
    STEPS = (
        "for arms of at least the threshold, otherwise refused; every step of a curve hides at "
        "least six people"
    )
    TOTALS_ROUNDED = "curves exact; totals below the threshold are shown as the greatest of them"
    ALL_OR_NOTHING = (
        "exact for a variable of which no group within an arm is below the threshold, "
        "otherwise withheld whole"
    )
    NOISED = "noise in every cell, of which each site adds its share before the masks"
    RULED = "each cell by the rule, at each site or once on the sum"


class Noise(msgspec.Struct, frozen=True):
    """The noise of a release that adds some, with what it promises.

    Attributes:
        epsilon: What one run costs, as text of a fraction above 0, such as ``1`` or ``3/10``.
        mechanism: ``laplace`` or ``skellam``.
        least_honest: The least share of the sites asked that answer and keep their noise secret,
            in hundredths, 1 to 100. Shares are made so that those alone are enough.
        sites_per_patient: At how many sites a patient may be, 1 or more.
    """

    epsilon: str
    mechanism: str = "laplace"
    least_honest: int = 67
    sites_per_patient: int = 1


class Release(msgspec.Struct, frozen=True):
    """A rule with its parameters and place.

    Attributes:
        name: What a user types.
        version: Changes whenever the same data would be released differently.
        place: Where the rule is applied.
        masked: Whether a site's answer may only be seen as part of a sum.
        threshold: Counts of patients from 1 up to, not including, this one are withheld; 0: none.
        by_day: Whether survival tables are by day; otherwise by month or coarser.
        laboratory_only: Whether it may run only where the truth may be looked at.
        treatments: What happens to each kind of request; a kind that is missing is refused.
        says: What it hides and what it does not, for every result.
        rule: The name of the rule in `simulator.privacy.rules` that is done to each cell; empty
            where none is.
        noise: The noise that it adds; None where it adds none.
    """

    name: str
    version: int
    place: Place
    masked: bool
    threshold: int
    by_day: bool
    laboratory_only: bool
    treatments: dict[str, Treatment]
    says: tuple[str, ...]
    rule: str = ""
    noise: Noise | None = None

    @property
    def changes_survival(self) -> bool:
        """Whether a rule without known noise changes the counts of a survival table."""
        return bool(self.rule) or self.treatments.get("survival") is Treatment.STEPS


def least_honest(noise: Noise, roster_size: int) -> int:
    """The number of sites whose shares of the noise alone are enough, at least 1.

    Args:
        noise: The noise, with the least share of the sites that is honest.
        roster_size: How many sites were invited to the run.
    """
    return max(1, -(-noise.least_honest * roster_size // 100))
