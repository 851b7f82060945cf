"""Names what a study waits for, in the forms that a sentence needs."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.language.study import Study


@dataclass(frozen=True)
class Ending:
    """The outcome in words.

    Attributes:
        have: What patients do, as in ``they die``.
        had: What they did, as in ``half died``.
        without: How those are called to whom it has not happened.
        curve: What is drawn over time.
    """

    have: str
    had: str
    without: str
    curve: str


def ending_of(study: Study) -> Ending:
    """The outcome of a study in words."""
    if study.question.outcome_is_death:
        return Ending("die", "died", "alive", "survival")
    events = study.question.outcome.events
    name = events.codes or f"a {events.domain}"
    return Ending(f"have {name}", f"had {name}", f"without {name}", f"time without {name}")
