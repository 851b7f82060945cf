"""Reads a scenario from YAML."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

from simulator.language.documents import Node, read_document
from simulator.synthesis.labels import NEAR_MISSES
from simulator.synthesis.scenario import (
    Acceptance,
    Arm,
    Covariates,
    Drug,
    Finding,
    LesionGroup,
    Scenario,
    SecondStudy,
    Trait,
    Treatment,
)

_PROCEDURES: Final = ("TARE", "TACE")
_DRUGS: Final = ("immunotherapy", "chemotherapy")


def parse_dates(node: Node) -> tuple[dt.date, dt.date]:
    """Two dates written ``YYYY-MM-DD to YYYY-MM-DD``, in order."""

    def parse(text: str) -> tuple[dt.date, dt.date]:
        first, last = (dt.date.fromisoformat(part.strip()) for part in text.split(" to "))
        if last < first:
            raise ValueError
        return first, last

    return node.parsed(parse, "two dates in order, written YYYY-MM-DD to YYYY-MM-DD")


def parse_choice(node: Node, words: tuple[str, ...]) -> str:
    """One of some words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return node.parsed(parse, " or ".join(f"'{word}'" for word in words))


def _arm(node: Node) -> Arm:
    found = node.fields(
        ("arm", "procedure", "drugs", "patients", "shape", "true median months", "recorded")
    )
    recorded = found["recorded"].fields(("median months", "survival"))
    return Arm(
        name=found["arm"].text(),
        procedure=parse_choice(found["procedure"], _PROCEDURES),
        drugs=parse_choice(found["drugs"], _DRUGS),
        patients=found["patients"].integer(1),
        shape=found["shape"].number(0.1, 10),
        true_median=found["true median months"].number(0.1, 1200),
        recorded_median=recorded["median months"].number(0.1, 1200),
        recorded_survival=recorded["survival"].number(0, 1),
    )


def _acceptance(node: Node) -> Acceptance:
    found = node.fields(
        (
            "required",
            "survival at months",
            "survival within",
            "median within months",
            "horizon months",
            "at most draws",
        )
    )
    return Acceptance(
        required=found["required"].boolean(),
        landmark=found["survival at months"].integer(1, 600),
        survival_within=found["survival within"].number(0, 1),
        median_within=found["median within months"].number(0),
        horizon=found["horizon months"].integer(1, 600),
        at_most=found["at most draws"].integer(1),
    )


def _drug(node: Node) -> Drug:
    found = node.fields(("code", "from", "use"))
    return Drug(found["code"].text(), found["from"].date(), found["use"].number(0))


def _treatment(node: Node) -> Treatment:
    found = node.fields(
        (
            *_DRUGS,
            "both kinds before index",
            "immunotherapy after index",
            "second session",
            "infusion instead of push",
        )
    )
    return Treatment(
        immunotherapy=tuple(_drug(item) for item in found["immunotherapy"].items()),
        chemotherapy=tuple(_drug(item) for item in found["chemotherapy"].items()),
        both_kinds=found["both kinds before index"].number(0, 1),
        late_immunotherapy=found["immunotherapy after index"].number(0, 1),
        second_session=found["second session"].number(0, 1),
        infusion=found["infusion instead of push"].number(0, 1),
    )


def _trait(node: Node) -> Trait:
    found = node.fields(("share", "with immunotherapy", "with TACE", "hazard ratio", "captured"))
    return Trait(
        found["share"].number(0, 1),
        found["with immunotherapy"].number(-1, 1),
        found["with TACE"].number(-1, 1),
        found["hazard ratio"].number(0.01, 100),
        found["captured"].number(0, 1),
    )


def _covariates(node: Node) -> Covariates:
    found = node.fields(
        (
            "age",
            "men",
            "receptor negative",
            "extrahepatic",
            "high burden",
            "many lines",
            "poor performance",
            "bilirubin",
        )
    )
    age = found["age"].fields(("mean", "sd", "hazard ratio per decade"))
    bilirubin = found["bilirubin"].fields(
        ("median", "log sd", "hazard ratio per mg/dL", "captured")
    )
    return Covariates(
        age_mean=age["mean"].number(18, 100),
        age_sd=age["sd"].number(0, 50),
        age_hazard_ratio=age["hazard ratio per decade"].number(0.01, 100),
        men=found["men"].number(0, 1),
        receptor_negative=_trait(found["receptor negative"]),
        extrahepatic=_trait(found["extrahepatic"]),
        high_burden=_trait(found["high burden"]),
        many_lines=_trait(found["many lines"]),
        poor_performance=_trait(found["poor performance"]),
        bilirubin_median=bilirubin["median"].number(0.01),
        bilirubin_log_sd=bilirubin["log sd"].number(0),
        bilirubin_hazard_ratio=bilirubin["hazard ratio per mg/dL"].number(0.01, 100),
        bilirubin_captured=bilirubin["captured"].number(0, 1),
    )


def _days(node: Node) -> tuple[int, int]:
    """Two whole numbers of days written ``20 to 60``, in order."""

    def parse(text: str) -> tuple[int, int]:
        first, last = (int(part) for part in text.split(" to "))
        if not 0 < first <= last:
            raise ValueError
        return first, last

    return node.parsed(parse, "two numbers of days in order, written '20 to 60'")


def _finding(node: Node) -> Finding:
    found = node.fields(("lesions", "days"))
    return Finding(found["lesions"].integer(0), _days(found["days"]))


def _group(node: Node) -> LesionGroup:
    found = node.fields(
        ("group", "lesions", "shape", "true median months"),
        ("lesions of second sessions", "recorded median months"),
    )
    later, recorded = found.get("lesions of second sessions"), found.get("recorded median months")
    return LesionGroup(
        name=found["group"].text(),
        lesions=tuple(item.integer(1, 99) for item in found["lesions"].items()),
        later_lesions=tuple(item.integer(1, 99) for item in later.items()) if later else (),
        shape=found["shape"].number(0.1, 10),
        true_median=found["true median months"].number(0.1, 1200),
        recorded_median=recorded.number(0.1, 1200) if recorded else None,
    )


def _second_study(node: Node) -> SecondStudy:
    found = node.fields(
        (
            "study",
            "index dates",
            "groups",
            "recorded median months",
            "acceptance",
            "second session on days",
            "residual tumours",
            "local recurrences",
        )
    )
    first, last = parse_dates(found["index dates"])
    acceptance = found["acceptance"].fields(
        ("required", "median within months", "horizon months", "at most draws")
    )
    return SecondStudy(
        name=found["study"].text(),
        first=first,
        last=last,
        groups=tuple(_group(item) for item in found["groups"].items()),
        recorded_median=found["recorded median months"].number(0.1, 1200),
        required=acceptance["required"].boolean(),
        median_within=acceptance["median within months"].number(0),
        horizon=acceptance["horizon months"].integer(1, 600),
        at_most=acceptance["at most draws"].integer(1),
        session_days=_days(found["second session on days"]),
        residual=_finding(found["residual tumours"]),
        recurrence=_finding(found["local recurrences"]),
    )


def read_scenario(path: Path) -> Scenario:
    """Reads a scenario.

    Raises:
        UserError: The file is missing or does not fit; the place is named.
    """
    found = read_document(path).fields(
        (
            "scenario",
            "version",
            "title",
            "population",
            "index dates",
            "arm sizes",
            "arms",
            "acceptance",
            "follow up",
            "treatment",
            "covariates",
            "near misses",
        ),
        ("second study",),
    )
    first, last = parse_dates(found["index dates"])
    follow_up = found["follow up"].fields(
        ("drop out median months", "days from last contact to a missed death")
    )
    near = found["near misses"].fields(("at least", "per 200000 patients"))
    counts = near["per 200000 patients"].fields([str(label) for label in NEAR_MISSES])
    return Scenario(
        name=found["scenario"].text(),
        title=found["title"].text(),
        population=found["population"].text(),
        first=first,
        last=last,
        drawn_sizes=parse_choice(found["arm sizes"], ("fixed", "drawn")) == "drawn",
        arms=tuple(_arm(item) for item in found["arms"].items()),
        acceptance=_acceptance(found["acceptance"]),
        drop_out=follow_up["drop out median months"].number(0.1),
        last_contact_gap=follow_up["days from last contact to a missed death"].number(0),
        treatment=_treatment(found["treatment"]),
        covariates=_covariates(found["covariates"]),
        least=near["at least"].integer(0),
        near_misses={label: counts[label].integer(0) for label in NEAR_MISSES},
        second=_second_study(found["second study"]) if "second study" in found else None,
    )
