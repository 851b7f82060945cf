"""Which numbers each analysis gives under each release, and which requests it makes for them."""

from __future__ import annotations

from typing import Final

from simulator.privacy.release import Release

RULED: Final = "rule"
"""Stands for every release that does a rule of another system to each cell."""

# The kinds of request that each analysis makes.
REQUESTS: Final[dict[str, tuple[str, ...]]] = {
    "attrition": ("attrition", "assignment"),
    "count": ("attrition",),
    "count of days or events": ("entries",),
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

# Requests that no analysis makes yet; every release refuses them.
UNASKED: Final = ("weighted tables", "moments", "sketches")

# Which numbers an analysis gives under each release. A pair that is not listed is refused.
_STEPS: Final = {
    "secure-sum": "small steps withheld",
    "secure-steps": "small steps withheld",
    "dp": "with noise, whose standard error is told",
    "platform": "1 to 10 shown as 10",
    "exact": "exact",
    RULED: "as the rule shows it; bounds where parts are withheld",
}
_NOISY: Final = "with noise, whose standard error is told"
_LINKED: Final = {
    "secure-sum": "small counts withheld, and those from which they would follow",
    "secure-steps": "small counts withheld, and those from which they would follow",
    "platform": "1 to 10 shown as 10",
    "exact": "exact",
}
_LISTED: Final = {
    "secure-sum": "small counts withheld, and those that leave out a small number",
    "secure-steps": "small counts withheld, and those that leave out a small number",
    "platform": "1 to 10 shown as 10",
    "exact": "exact",
}
_CONTRASTS: Final = {
    "secure-sum": "from months",
    "platform": "from months",
    "exact": "from days",
}
ANALYSES: Final[dict[str, dict[str, str]]] = {
    "attrition": _STEPS,
    "count": _STEPS,
    "count of days or events": {
        "secure-sum": "small steps withheld, and days and events of 1 to 10 patients",
        "secure-steps": "small steps withheld, and days and events of 1 to 10 patients",
        "platform": "1 to 10 patients shown as 10, their days and events withheld",
        "exact": "exact",
    },
    "demographics": {**_LINKED, "dp": _NOISY},
    "conditions, procedures, drugs": _LISTED,
    "labs": _LINKED,
    "calendar": {
        "secure-sum": (
            "years of few people withheld, and who has it in years that would tell who is new; "
            "rates where all counts are released"
        ),
        "secure-steps": (
            "years of few people withheld, and who has it in years that would tell who is new; "
            "rates where all counts are released"
        ),
        "platform": (
            "1 to 10 shown as 10, and who has it withheld in years that would tell who is new; "
            "rates where all counts are above"
        ),
        "exact": "exact",
    },
    "arrival": {**_LINKED, "dp": f"{_NOISY}; no projection"},
    "follow-up": {
        "secure-sum": "by month, withheld if the cohort has 1 to 10 patients",
        "platform": "by month; patients of 1 to 10 shown as 10",
        "exact": "by month",
    },
    "pathways": _LINKED,
    "arms": {
        "secure-sum": "by month, refused if an arm has 1 to 10 patients",
        "secure-steps": (
            "by month, of rounded counts, between bounds, with no intervals; refused if an arm has "
            "1 to 10 patients"
        ),
        "dp": "by month, with intervals that know the noise",
        "platform": "by month; patients, deaths and numbers at risk of 1 to 10 shown as 10",
        "exact": "by day",
        RULED: (
            "by month, of the counts shown, between bounds, with no intervals; bounds alone where "
            "a part is withheld"
        ),
    },
    "log-rank": {**_CONTRASTS, "dp": "from months, against a null that knows the noise"},
    "hazard ratios": _CONTRASTS,
    "differences in mean survival": _CONTRASTS,
    "differences in survival": _CONTRASTS,
    "subgroups": {
        "secure-sum": "from months, a variable withheld whole if a group has 1 to 10 patients",
        "platform": "from months; patients and deaths of 1 to 10 shown as 10",
        "exact": "from days",
    },
}

# Why an analysis is refused although the requests that it makes are answered.
NOT_CHANCE: Final = "the rule's own error is not chance, and is larger here"
_UNTOLD: Final = {"secure-steps": NOT_CHANCE, RULED: NOT_CHANCE}
_NOISY_CONTRAST: Final = "no interval of ours knows the noise of a regression or of a contrast"
REASONS: Final[dict[str, dict[str, str]]] = {
    "log-rank": _UNTOLD,
    "hazard ratios": {"dp": _NOISY_CONTRAST, **_UNTOLD},
    "differences in mean survival": {"dp": _NOISY_CONTRAST, **_UNTOLD},
    "differences in survival": {"dp": _NOISY_CONTRAST, **_UNTOLD},
}


def gives(analysis: str, release: Release) -> str | None:
    """Which numbers an analysis gives under a release; None where it is refused."""
    return ANALYSES[analysis].get(_column(release))


def reason(analysis: str, release: Release) -> str | None:
    """Why an analysis is refused whose requests are answered; None where it is not."""
    return REASONS.get(analysis, {}).get(_column(release))


def _column(release: Release) -> str:
    return RULED if release.rule else release.name
