"""The releases that exist: each rule with its parameters and place, found by its name.

Every side looks a release up here by name and version; rules never travel.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import msgspec

from simulator.aggregates.released import Released
from simulator.errors import Refused, UserError, nearest, one_of
from simulator.privacy.emulated import EMULATED, emulated
from simulator.privacy.release import Noise as Noise
from simulator.privacy.release import Place as Place
from simulator.privacy.release import Release as Release
from simulator.privacy.release import Treatment as Treatment
from simulator.privacy.rules.registry import RULES
from simulator.privacy.thresholds import round_small

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

SECURE_STEPS: Final = Release(
    name="secure-steps",
    version=1,
    place=Place.NETWORK,
    masked=True,
    threshold=11,
    by_day=False,
    laboratory_only=False,
    treatments={
        **{
            kind: treatment
            for kind, treatment in SECURE_SUM.treatments.items()
            if kind not in {"subgroups", "follow-up"}
        },
        "survival": Treatment.STEPS,
    },
    says=(
        "deaths and censorings so far are shown to the midpoint of six: by the curve alone, each "
        "step stands for at least 6 people; sizes of arms and steps told beside it narrow that",
        "when a step is taken is one person's event: the first of an arm, the seventh, and so on",
        "curves and medians are those of the rounded counts, with bounds; no intervals, no tests",
        *SECURE_SUM.says,
    ),
)

DP: Final = Release(
    name="dp",
    version=1,
    place=Place.NETWORK,
    masked=True,
    threshold=0,
    by_day=False,
    laboratory_only=False,
    treatments={
        "attrition": Treatment.NOISED,
        "assignment": Treatment.NOISED,
        "demographics": Treatment.NOISED,
        "race": Treatment.NOISED,
        "arrival": Treatment.NOISED,
        "survival": Treatment.NOISED,
    },
    says=(
        "differentially private against everyone who sees the sums, the aggregator too, as long as "
        "no more sites than stated drop out or tell others their noise",
        "one patient more or less changes the chance of any count by a factor of e^epsilon at most "
        "(with Skellam noise but for a chance of one in a million); what sites say in their "
        "catalogues is not covered",
        "every number carries noise; intervals and tests know it",
        "asked again, word for word, of the same sites, the same answer comes back at no cost",
        "inputs not validated",
    ),
    noise=Noise("1"),
)

RELEASES: Final = {
    release.name: release for release in (SECURE_SUM, SECURE_STEPS, DP, PLATFORM, EXACT, *EMULATED)
}


KEYED: Final = "cell-key"
"""The rule that asks for a key of every record."""


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


def chosen(
    name: str, place: str | None = None, epsilon: str | None = None, mechanism: str | None = None
) -> Release:
    """The release of that name, changed as somebody asked for.

    Args:
        name: The release's name.
        place: ``site`` or ``network``; None: where it is by default.
        epsilon: What a run costs; None: the release's own.
        mechanism: ``laplace`` or ``skellam``; None: the release's own.

    Raises:
        UserError: There is no such release, or it takes no epsilon.
        Refused: It has one place only.
    """
    found = find_release(name)
    if place is not None:
        found = placed(found, Place(place))
    if epsilon is None and mechanism is None:
        return found
    return with_noise(found, epsilon, mechanism)


def placed(release: Release, place: Place) -> Release:
    """The release with its rule applied elsewhere.

    On a sum the rule is applied once, under secure aggregation; at the sites each answer is seen as
    the rule let it out.

    Raises:
        Refused: The release has one place only.
    """
    if place is release.place:
        return release
    if not release.rule:
        raise Refused(
            f"the release '{release.name}' is applied at the {release.place}, nowhere else",
            hint="--at moves the rules of other systems, such as round-up-10.",
        )
    if release.rule == KEYED:
        raise Refused(
            f"the release '{release.name}' needs a key of every record, which stays at its site",
            hint="Leave --at out: it is applied at each site.",
        )
    return emulated(RULES[release.rule], place)


def is_masked(release: Release, place: Place) -> bool:
    """Whether answers are masked where a release has this place: rules of sites are not."""
    return place is Place.NETWORK if release.rule else release.masked


def with_noise(release: Release, epsilon: str | None, mechanism: str | None) -> Release:
    """The release with another cost of a run, or another mechanism; None leaves it as it is.

    Raises:
        UserError: The release adds no noise, or the cost is no number above 0.
    """
    if release.noise is None:
        raise UserError(
            f"the release '{release.name}' takes no epsilon: it adds no noise of that kind",
            hint="Say --release dp.",
        )
    try:
        cost = Fraction(release.noise.epsilon if epsilon is None else epsilon)
    except (ValueError, ZeroDivisionError):
        cost = Fraction(0)
    if cost <= 0:
        raise UserError(
            f"expected an epsilon above 0, such as 1 or 0.5; found '{epsilon}'",
            hint="The smaller it is, the more noise there is.",
        )
    noise = msgspec.structs.replace(
        release.noise, epsilon=str(cost), mechanism=mechanism or release.noise.mechanism
    )
    return msgspec.structs.replace(release, noise=noise)


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
