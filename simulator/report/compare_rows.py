"""What the figure of a comparison of releases draws, as values of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """What is drawn of one number; nothing where all are None.

    Attributes:
        at: The number; None where there is none.
        least: Where its bounds begin.
        most: Where they end; None with a `least`: nowhere.
        spread: The standard deviation of its noise, or over runs.
    """

    at: float | None = None
    least: float | None = None
    most: float | None = None
    spread: float | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to draw."""
        return self.at is None and self.least is None


@dataclass(frozen=True)
class Drawn:
    """One line: a release at a place.

    Attributes:
        name: The release.
        at_site: Whether its rule is applied at each site.
        total: The cohort.
        said: The cohort in a word or two, beside its mark.
        survival: Of each arm, 0 to 1; none where it was refused.
    """

    name: str
    at_site: bool
    total: Mark
    said: str
    survival: tuple[Mark, ...]


@dataclass(frozen=True)
class DrawnGroup:
    """Lines below a heading."""

    heading: str
    lines: tuple[Drawn, ...]


@dataclass(frozen=True)
class DrawnTruth:
    """Where the lines of the truth stand: the cohort, and each arm's survival, 0 to 1."""

    total: int
    arms: tuple[str, ...]
    survival: tuple[float, ...]
    months: int | None
