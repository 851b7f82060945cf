"""The releases that exist: name, version, parameters, place, and what each does to each request.

Every side looks a release up here by name and version; rules never travel.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from simulator.aggregates.released import Released
from simulator.errors import UserError, nearest, one_of
from simulator.privacy.thresholds import round_small


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
    TOTALS_ROUNDED = "curves exact; totals below the threshold are shown as the greatest of them"
    ALL_OR_NOTHING = (
        "exact for a variable of which no group within an arm is below the threshold, "
        "otherwise withheld whole"
    )


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
        "entries": Treatment.EXACT,
        "assignment": Treatment.EXACT,
        "demographics": Treatment.EXACT,
        "race": Treatment.EXACT,
        "arrival": Treatment.EXACT,
        "calendar": Treatment.EXACT,
        "follow-up": Treatment.EXACT,
        "codes": Treatment.EXACT,
        "labs": Treatment.EXACT,
        "pathways": Treatment.EXACT,
        "survival": Treatment.EXACT,
        "subgroups": Treatment.EXACT,
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
        "entries": Treatment.SMALL_WITHHELD,
        "assignment": Treatment.SMALL_WITHHELD,
        "demographics": Treatment.LINKED_WITHHELD,
        "race": Treatment.LINKED_WITHHELD,
        "arrival": Treatment.LINKED_WITHHELD,
        "calendar": Treatment.LINKED_WITHHELD,
        "follow-up": Treatment.COHORT_AT_LEAST,
        "codes": Treatment.SMALL_WITHHELD,
        "labs": Treatment.LINKED_WITHHELD,
        "pathways": Treatment.LINKED_WITHHELD,
        "survival": Treatment.ARMS_AT_LEAST,
        "subgroups": Treatment.ALL_OR_NOTHING,
    },
    says=(
        "hides which site within one run, not which patient",
        "exact totals: differencing possible",
        "two runs whose sites differ by a few show those few",
        "whether a count is zero is shown",
        "inputs not validated",
    ),
)

PLATFORM: Final = Release(
    name="platform",
    version=1,
    place=Place.NETWORK,
    masked=True,
    threshold=11,
    by_day=False,
    laboratory_only=False,
    treatments={
        "attrition": Treatment.SMALL_ROUNDED,
        "entries": Treatment.SMALL_ROUNDED,
        "assignment": Treatment.SMALL_ROUNDED,
        "demographics": Treatment.SMALL_ROUNDED,
        "race": Treatment.SMALL_ROUNDED,
        "arrival": Treatment.SMALL_ROUNDED,
        "calendar": Treatment.LINKED_ROUNDED,
        "follow-up": Treatment.TOTALS_ROUNDED,
        "codes": Treatment.SMALL_ROUNDED,
        "labs": Treatment.SMALL_ROUNDED,
        "pathways": Treatment.SMALL_ROUNDED,
        "survival": Treatment.TOTALS_ROUNDED,
        "subgroups": Treatment.TOTALS_ROUNDED,
    },
    says=(
        "totals of 1 to 10 are shown as 10, marked 10*; 0 and totals above 10 are exact",
        "curves are exact, of small arms too: the height of a step gives the true totals back",
        "neighbouring totals may differ by one patient: differencing possible",
        "by month, where the modelled platform's curves are by day",
        "inputs not validated",
    ),
)

RELEASES: Final = {release.name: release for release in (SECURE_SUM, PLATFORM, EXACT)}

# The kinds of request that each analysis makes.
REQUESTS: Final[dict[str, tuple[str, ...]]] = {
    "attrition": ("attrition", "assignment"),
    "count": ("attrition", "entries"),
    "demographics": ("attrition", "demographics", "race"),
    "conditions, procedures, drugs": ("attrition", "codes"),
    "labs": ("attrition", "labs"),
    "calendar": ("attrition", "arrival", "calendar"),
    "arrival": ("attrition", "arrival"),
    "follow-up": ("attrition", "follow-up"),
    "pathways": ("attrition", "pathways"),
    "arms": ("survival",),
    "log-rank": ("survival",),
    "hazard ratios": ("survival",),
    "differences in mean survival": ("survival",),
    "differences in survival": ("survival",),
    "subgroups": ("subgroups",),
}

# Which numbers an analysis gives under each release. A pair that is not listed is refused.
_BY_MONTH: Final = {"secure-sum": "from months", "platform": "from months", "exact": "from days"}
_LINKED: Final = {
    "secure-sum": "small counts withheld, and those from which they would follow",
    "platform": "1 to 10 shown as 10",
    "exact": "exact",
}
_LISTED: Final = {
    "secure-sum": "small counts withheld, and those that leave out a small number",
    "platform": "1 to 10 shown as 10",
    "exact": "exact",
}
ANALYSES: Final[dict[str, dict[str, str]]] = {
    "attrition": {
        "secure-sum": "small steps withheld",
        "platform": "1 to 10 shown as 10",
        "exact": "exact",
    },
    "count": {
        "secure-sum": "small steps withheld, and days and events of 1 to 10 patients",
        "platform": "1 to 10 patients shown as 10, their days and events withheld",
        "exact": "exact",
    },
    "demographics": _LINKED,
    "conditions, procedures, drugs": _LISTED,
    "labs": _LINKED,
    "calendar": {
        "secure-sum": (
            "years of few people withheld, and who has it in years that would tell who is new; "
            "rates where all counts are released"
        ),
        "platform": (
            "1 to 10 shown as 10, and who has it withheld in years that would tell who is new; "
            "rates where all counts are above"
        ),
        "exact": "exact",
    },
    "arrival": _LINKED,
    "follow-up": {
        "secure-sum": "by month, withheld if the cohort has 1 to 10 patients",
        "platform": "by month; patients of 1 to 10 shown as 10",
        "exact": "by month",
    },
    "pathways": _LINKED,
    "arms": {
        "secure-sum": "by month, refused if an arm has 1 to 10 patients",
        "platform": "by month; patients, deaths and numbers at risk of 1 to 10 shown as 10",
        "exact": "by day",
    },
    "log-rank": _BY_MONTH,
    "hazard ratios": _BY_MONTH,
    "differences in mean survival": _BY_MONTH,
    "differences in survival": _BY_MONTH,
    "subgroups": {
        "secure-sum": "from months, a variable withheld whole if a group has 1 to 10 patients",
        "platform": "from months; patients and deaths of 1 to 10 shown as 10",
        "exact": "from days",
    },
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


def shown(count: int, release: Release, kind: str) -> Released:
    """A total of a table that a release let out for a kind of request.

    Args:
        count: Patients, events or numbers at risk of the table.
        release: The release that the table was let out by.
        kind: The kind of request that the table answers.
    """
    if release.treatments[kind] is Treatment.TOTALS_ROUNDED:
        return round_small(count, release.threshold)
    return count
