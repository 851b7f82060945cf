"""What a site's policy can say."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import Final

import msgspec

from simulator.aggregates.grid import Unit
from simulator.privacy.releases import RELEASES


class Answers(StrEnum):
    """How a site's answers may be seen."""

    MASKED = "masked"
    CLEAR = "clear"
    EITHER = "either"


class Differences(StrEnum):
    """What is to happen where a result differs from an earlier one by fewer than the threshold."""

    REFUSE = "refuse"
    WARN = "warn"
    ALLOW = "allow"


class Rates(msgspec.Struct, frozen=True):
    """How many runs may ask the same question of the same sites within some days."""

    identical: int
    days: int


class Quota(msgspec.Struct, frozen=True):
    """How many questions are answered, whatever they are.

    Attributes:
        soft: So many within the minutes; then the site refuses for a while.
        minutes: The minutes of the soft quota.
        hard: So many within the days; then the site refuses until someone there lifts the lock.
        days: The days of the hard quota.
    """

    soft: int
    minutes: int
    hard: int
    days: int


class Budget(msgspec.Struct, frozen=True):
    """What answers with noise may cost within some days, by one measure or by both.

    Attributes:
        epsilon: In epsilon of pure differential privacy; None: it is not measured so.
        zcdp: In rho of zero-concentrated differential privacy; None: it is not measured so.
        days: Within so many days.
    """

    epsilon: Fraction | None
    zcdp: Fraction | None
    days: int


class Policy(msgspec.Struct, frozen=True):
    """A site's rules; a caller can only be stricter.

    Attributes:
        name: The template it comes from.
        version: The version of that template.
        releases: The names of the releases it answers to.
        masked_only: Whether its answers may only be seen as part of a sum.
        finest_bin: The finest time bin of a survival table.
        least_persons: The fewest persons it must hold to take part, by its catalogue.
        least_roster: The fewest sites that a run must have.
        network_threshold: The lowest network threshold that it accepts.
        coarsest_bin: The coarsest time bin of a survival table.
        clear_only: Whether its answers may not be hidden in a sum.
        differences: What is to happen to results that tell small differences. The site tells it
            with its catalogue; who sees the sums has to see to it.
        budget: What answers with noise may cost; None: nothing that costs is answered.
        rates: How often the same question is answered; None: as often as it is asked.
        quota: How many questions are answered; None: any number.
    """

    name: str
    version: int
    releases: tuple[str, ...]
    masked_only: bool
    finest_bin: Unit
    least_persons: int
    least_roster: int
    network_threshold: int
    coarsest_bin: Unit = tuple(Unit)[-1]
    clear_only: bool = False
    differences: Differences = Differences.REFUSE
    budget: Budget | None = None
    rates: Rates | None = None
    quota: Quota | None = None

    @property
    def answers(self) -> Answers:
        """How its answers may be seen."""
        if self.clear_only:
            return Answers.CLEAR
        return Answers.MASKED if self.masked_only else Answers.EITHER


# Above any cost that a laboratory will run up, and still a number that can be added to.
_AMPLE: Final = Fraction(10**9)

LABORATORY: Final = Policy(
    name="laboratory",
    version=1,
    releases=tuple(RELEASES),
    masked_only=False,
    finest_bin=Unit.DAY,
    least_persons=0,
    least_roster=1,
    network_threshold=0,
    differences=Differences.ALLOW,
    budget=Budget(_AMPLE, _AMPLE, days=1),
)
