"""The releases that exist: name, version, parameters, place, and what each does to each request.

Every side looks a release up here by name and version; rules never travel.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from simulator.errors import UserError, nearest, one_of


class Place(StrEnum):
    """Where a rule is applied."""

    SITE = "site"
    NETWORK = "network"


class Treatment(StrEnum):
    """What a release does to one kind of request. A pair that is not listed is refused."""

    EXACT = "exact"
    SMALL_WITHHELD = "counts below the threshold are withheld"
    ARMS_AT_LEAST = "exact for arms of at least the threshold, otherwise refused"


class Release(msgspec.Struct, frozen=True):
    """A rule with its parameters and place.

    Attributes:
        name: What a user types.
        version: Changes whenever the same data would be released differently.
        place: Where the rule is applied.
        masked: Whether a site's answer may only be seen as part of a sum.
        threshold: Counts of patients from 1 up to, not including, this one are withheld; 0: none.
        by_day: Whether survival tables are by day; otherwise by month.
        laboratory_only: Whether it may run only where the truth may be looked at.
        treatments: What happens to each kind of request; a kind that is missing is refused.
        says: What it hides and what it does not, for every result.
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


EXACT: Final = Release(
    name="exact",
    version=1,
    place=Place.NETWORK,
    masked=False,
    threshold=0,
    by_day=True,
    laboratory_only=True,
    treatments={
        "attrition": Treatment.EXACT,
        "assignment": Treatment.EXACT,
        "survival": Treatment.EXACT,
    },
    says=("raw answers by day: nothing is hidden; for the laboratory only",),
)

SECURE_SUM: Final = Release(
    name="secure-sum",
    version=1,
    place=Place.NETWORK,
    masked=True,
    threshold=11,
    by_day=False,
    laboratory_only=False,
    treatments={
        "attrition": Treatment.SMALL_WITHHELD,
        "assignment": Treatment.SMALL_WITHHELD,
        "survival": Treatment.ARMS_AT_LEAST,
    },
    says=(
        "hides which site within one run, not which patient",
        "exact totals: differencing possible",
        "two runs whose sites differ by a few show those few",
        "whether a count is zero is shown",
        "inputs not validated",
    ),
)

RELEASES: Final = {release.name: release for release in (SECURE_SUM, EXACT)}

# Which numbers an analysis gives under each release. A pair that is not listed is refused.
ANALYSES: Final[dict[str, dict[str, str]]] = {
    "attrition": {"secure-sum": "small steps withheld", "exact": "exact"},
    "arms": {"secure-sum": "by month, refused if an arm has 1 to 10 patients", "exact": "by day"},
    "log-rank": {"secure-sum": "from months", "exact": "from days"},
    "hazard ratios": {"secure-sum": "from months", "exact": "from days"},
}


def find_release(name: str) -> Release:
    """The release of that name.

    Raises:
        UserError: There is no such release.
    """
    if name not in RELEASES:
        raise UserError(
            f"there is no release '{name}'; expected {one_of(RELEASES)}",
            hint=nearest(name, RELEASES),
        )
    return RELEASES[name]
