"""A scenario: how patients fall ill, are treated, followed up and recorded, as values."""

from __future__ import annotations

import datetime as dt
import hashlib

import msgspec

from simulator.synthesis.labels import Label


class Arm(msgspec.Struct, frozen=True):
    """One arm: its size, its true survival, and what its recorded survival should show.

    Attributes:
        name: Such as ``TARE + immunotherapy``.
        procedure: ``TARE`` or ``TACE``.
        drugs: ``immunotherapy`` or ``chemotherapy``.
        patients: Its size, or its expected size where sizes are drawn.
        shape: The Weibull shape of the true time to death.
        true_median: Months.
        recorded_median: Months, as recorded data should show.
        recorded_survival: The share alive at the acceptance's landmark, as recorded.
    """

    name: str
    procedure: str
    drugs: str
    patients: int
    shape: float
    true_median: float
    recorded_median: float
    recorded_survival: float

    @property
    def immunotherapy(self) -> bool:
        """Whether the arm's patients had immunotherapy before index."""
        return self.drugs == "immunotherapy"

    @property
    def tace(self) -> bool:
        """Whether the arm's procedure is chemoembolization."""
        return self.procedure == "TACE"


class Acceptance(msgspec.Struct, frozen=True):
    """When a draw of an arm stands: its recorded figures lie near the wanted ones.

    Attributes:
        required: Whether draws are rejected at all.
        landmark: Months at which survival is compared.
        survival_within: Largest distance of survival.
        median_within: Largest distance of the median in months.
        horizon: Months of the survival tables.
        at_most: Draws of one arm before the build gives up.
    """

    required: bool
    landmark: int
    survival_within: float
    median_within: float
    horizon: int
    at_most: int


class Drug(msgspec.Struct, frozen=True):
    """An ingredient (RxNorm code), the first day of its use, and its relative use."""

    code: str
    since: dt.date
    use: float


class Treatment(msgspec.Struct, frozen=True):
    """Which drugs are given, and how often treatment differs from the plain course; shares."""

    immunotherapy: tuple[Drug, ...]
    chemotherapy: tuple[Drug, ...]
    both_kinds: float
    late_immunotherapy: float
    second_session: float
    infusion: float


class Trait(msgspec.Struct, frozen=True):
    """A yes-or-no covariate: its share, how arms differ, its hazard ratio, the share recorded."""

    share: float
    with_immunotherapy: float
    with_tace: float
    hazard_ratio: float
    captured: float


class Covariates(msgspec.Struct, frozen=True):
    """What patients differ in besides the arm. Age in years, bilirubin in mg/dL."""

    age_mean: float
    age_sd: float
    age_hazard_ratio: float
    men: float
    receptor_negative: Trait
    extrahepatic: Trait
    high_burden: Trait
    many_lines: Trait
    poor_performance: Trait
    bilirubin_median: float
    bilirubin_log_sd: float
    bilirubin_hazard_ratio: float
    bilirubin_captured: float


class LesionGroup(msgspec.Struct, frozen=True):
    """Patients of the second study who were treated for a like number of lesions.

    Attributes:
        name: Such as ``two or three lesions``.
        lesions: How many each of its patients had treated in the first session.
        later_lesions: How many were treated in each second session; other patients have none.
        shape: The Weibull shape of the true time to death.
        true_median: Months.
        recorded_median: Months, as recorded data should show; None where nothing is reported.
    """

    name: str
    lesions: tuple[int, ...]
    later_lesions: tuple[int, ...]
    shape: float
    true_median: float
    recorded_median: float | None


class Finding(msgspec.Struct, frozen=True):
    """Something seen after an ablation: at how many lesions, and on which days after it."""

    lesions: int
    days: tuple[int, int]


class SecondStudy(msgspec.Struct, frozen=True):
    """A study of one hospital: tumours of the liver destroyed by heat through needles.

    Attributes:
        name: The study's name.
        first: The first index date.
        last: The last index date.
        groups: By number of lesions, in the study's order.
        recorded_median: Months of all groups together, as recorded data should show.
        required: Whether draws are rejected at all.
        median_within: Largest distance of a median in months.
        horizon: Months of the survival tables.
        at_most: Draws of one group before the build gives up.
        session_days: Days from the first session to a second one.
        residual: Tumour that was left; at patients with one lesion, so that it is clear which.
        recurrence: Tumour that grew again.
    """

    name: str
    first: dt.date
    last: dt.date
    groups: tuple[LesionGroup, ...]
    recorded_median: float
    required: bool
    median_within: float
    horizon: int
    at_most: int
    session_days: tuple[int, int]
    residual: Finding
    recurrence: Finding

    @property
    def patients(self) -> int:
        """How many patients it has."""
        return sum(len(group.lesions) for group in self.groups)


class Scenario(msgspec.Struct, frozen=True, omit_defaults=True):
    """A whole scenario.

    Attributes:
        name: Its name.
        title: One line for people.
        population: The name of the background population.
        first: The first recorded index date.
        last: The last recorded index date.
        drawn_sizes: Whether the sizes of the arms are drawn.
        arms: The arms in the study's order.
        acceptance: When a draw stands.
        drop_out: Months by which half of the patients have dropped out.
        last_contact_gap: Mean days from the last contact to a death that is not captured.
        treatment: Drugs and courses.
        covariates: What patients differ in.
        least: Fewest near misses of each label.
        near_misses: Label -> patients for 200,000 patients.
        second: A second study at one site, or None.
    """

    name: str
    title: str
    population: str
    first: dt.date
    last: dt.date
    drawn_sizes: bool
    arms: tuple[Arm, ...]
    acceptance: Acceptance
    drop_out: float
    last_contact_gap: float
    treatment: Treatment
    covariates: Covariates
    least: int
    near_misses: dict[Label, int]
    second: SecondStudy | None = None

    @property
    def seed_fingerprint(self) -> str:
        """The fingerprint without the second study: nobody else is drawn anew when it changes."""
        return msgspec.structs.replace(self, second=None).fingerprint

    @property
    def fingerprint(self) -> str:
        """SHA-256 over what the scenario says, not over how its file is written."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()
