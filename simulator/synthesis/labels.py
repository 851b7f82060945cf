"""What the truth calls a patient of the oncology part, and the step of the study that fails."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Label(StrEnum):
    """Why a patient is in the network: in the cohort, or missing it by exactly one step."""

    COHORT = "cohort"
    OTHER_PRIMARY = "other primary"
    BEFORE_METASTASIS = "embolization before metastasis"
    BEFORE_WINDOW = "before the window"
    AFTER_WINDOW = "after the window"
    MAPPING_ONLY = "mapping only"
    CODE_OMITTED = "procedure code omitted"
    SAME_DAY = "same-day doxorubicin"
    DRUGS_AFTER = "drugs after"
    DRUGS_EARLY = "drugs too early"
    NO_DRUGS = "no systemic therapy"
    IN_SITU = "in-situ disease"
    AFTER_DEATH = "facts after death"
    SECOND_PRIMARY = "second primary"
    ELSEWHERE = "elsewhere"
    SECOND_STUDY = "second study"


LABELS: Final = tuple(Label)
NUMBER: Final[Mapping[Label, int]] = {label: number for number, label in enumerate(LABELS)}
NEAR_MISSES: Final = tuple(
    label for label in LABELS if label not in (Label.COHORT, Label.SECOND_STUDY)
)

INDEX: Final = "index"
SITE: Final = "site"
# The bundled studies of which the truth knows who belongs to them, and what it calls these.
STUDIES: Final[Mapping[str, Label]] = {"bclm": Label.COHORT, "srfa": Label.SECOND_STUDY}
_DATES: Final = "embolization from January 2016 to July 2024"
_BREAST: Final = "breast cancer diagnosed by then"
_OTHER: Final = "no primary cancer of liver or bowel by then"
_ALIVE: Final = "not recorded as dead before"
_PROCEDURE: Final = "radioembolization or chemoembolization on the day"
_DRUGS: Final = "immunotherapy or chemotherapy in the 90 days before"

# The one step of the bundled study `bclm` that excludes such a patient; `index` is its index event,
# `site` means that the patient's site cannot answer the study at all. Empty: nothing excludes.
EXCLUDED_BY: Final[Mapping[Label, str]] = {
    Label.COHORT: "",
    Label.OTHER_PRIMARY: _BREAST,
    Label.BEFORE_METASTASIS: INDEX,
    Label.BEFORE_WINDOW: _DATES,
    Label.AFTER_WINDOW: _DATES,
    Label.MAPPING_ONLY: INDEX,
    Label.CODE_OMITTED: _PROCEDURE,
    Label.SAME_DAY: _DRUGS,
    Label.DRUGS_AFTER: _DRUGS,
    Label.DRUGS_EARLY: _DRUGS,
    Label.NO_DRUGS: _DRUGS,
    Label.IN_SITU: _BREAST,
    Label.AFTER_DEATH: _ALIVE,
    Label.SECOND_PRIMARY: _OTHER,
    Label.ELSEWHERE: SITE,
    Label.SECOND_STUDY: INDEX,  # ablated, never embolized
}
