"""Draws the near misses of one site: oncology patients who each fail exactly one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulator.synthesis.courses import Courses
from simulator.synthesis.days import Days, day_number, middle_of_month
from simulator.synthesis.follow_up import Recording, follow
from simulator.synthesis.illness import days_under, draw_survival, draw_traits, of_arms
from simulator.synthesis.labels import LABELS, NUMBER, Label
from simulator.synthesis.organisations import Organisation
from simulator.synthesis.scenario import Arm, Scenario

# Near misses live and are seen long enough for the facts that make them what they are.
SEEN_AT_LEAST = 120
_RUN_UP = 120
_DAYS_BEFORE_WINDOW = 550
_DEAD_BEFORE = (40, 200)  # days; more than a month, so that no reader of months can doubt it


def draw_arms(rng: np.random.Generator, arms: Sequence[Arm], count: int) -> NDArray[np.int8]:
    """Arms in proportion to their sizes, shape (count,)."""
    sizes = np.array([arm.patients for arm in arms], dtype=np.float64)
    return rng.choice(len(arms), size=count, p=sizes / sizes.sum()).astype(np.int8)


def _between(rng: np.random.Generator, low: Days, high: Days) -> Days:
    drawn: Days = rng.integers(low, np.maximum(high, low) + 1).astype(np.int32)
    return drawn


def _index_and_shift(
    rng: np.random.Generator, label: NDArray[np.int8], recording: Recording, scenario: Scenario
) -> tuple[Days, Days]:
    """Recorded index days and shifts that put each label where it belongs."""
    first, last = day_number(scenario.first), day_number(scenario.last)
    before = label == NUMBER[Label.BEFORE_WINDOW]
    after = label == NUMBER[Label.AFTER_WINDOW]
    low = np.where(before, first - _DAYS_BEFORE_WINDOW, first).astype(np.int32)
    high = np.where(before, first - 1, last).astype(np.int32)
    # Only a shift forward can carry a date past the last index day of records cut on that day.
    reach = recording.cut + recording.shift - SEEN_AT_LEAST
    low = np.where(after, last + 1, low).astype(np.int32)
    high = np.where(after, reach, np.minimum(high, reach)).astype(np.int32)
    low = np.maximum(low, np.minimum(recording.first + _RUN_UP, high)).astype(np.int32)
    index = _between(rng, low, high)
    least = np.maximum(index + SEEN_AT_LEAST - recording.cut, -recording.shift).astype(np.int32)
    shift = _between(rng, np.minimum(least, recording.shift), recording.shift)
    return index, shift


def _elsewhere_index(rng: np.random.Generator, recording: Recording, scenario: Scenario) -> Days:
    """Index days inside the records of a site that cannot answer the study."""
    first, last = day_number(scenario.first), day_number(scenario.last)
    high = np.where(recording.cut <= last, np.minimum(recording.cut, last), recording.cut) - 1
    low = np.maximum(recording.first + _RUN_UP, np.minimum(first, high - _DAYS_BEFORE_WINDOW))
    return _between(rng, np.minimum(low, high).astype(np.int32), high.astype(np.int32))


def draw_near_misses(
    rng: np.random.Generator,
    counts: Mapping[Label, int],
    site: int,
    organisations: Sequence[Organisation],
    scenario: Scenario,
) -> Courses:
    """The near misses of one site, in columns; counts by label as the plan has them."""
    numbers = [NUMBER[label] for label in LABELS for _ in range(counts.get(label, 0))]
    label = np.array(numbers, dtype=np.int8)
    count = len(label)
    where = np.full(count, site, dtype=np.int32)
    recording = Recording.of(organisations, where)
    index, shift = _index_and_shift(rng, label, recording, scenario)
    elsewhere = label == NUMBER[Label.ELSEWHERE]
    index = np.where(elsewhere, _elsewhere_index(rng, recording, scenario), index).astype(np.int32)
    shift = np.where(elsewhere, 0, shift).astype(np.int32)
    arm = draw_arms(rng, scenario.arms, count)
    immunotherapy, tace = of_arms(scenario.arms, arm)
    traits = draw_traits(rng, scenario.covariates, immunotherapy=immunotherapy, tace=tace)
    survival = draw_survival(rng, traits.log_hazard) if count else np.empty(0)
    under = days_under(survival, scenario.arms) + np.where(elsewhere, 0, SEEN_AT_LEAST)[:, None]
    true_days = under[np.arange(count), arm].astype(np.int32)
    seen = follow(
        rng,
        index,
        shift,
        true_days,
        recording,
        drop_out=scenario.drop_out,
        last_contact_gap=0.0,
    )
    end = np.maximum(seen.end, np.where(elsewhere, seen.end, index + SEEN_AT_LEAST - 20))
    dead_first = label == NUMBER[Label.AFTER_DEATH]
    died = (index - rng.integers(*_DEAD_BEFORE, count)).astype(np.int32)
    died = np.where(recording.by_month, middle_of_month(died), died)
    death = np.where(dead_first, died, seen.death)
    courses = Courses.drawn(
        traits,
        seen,
        site=where,
        label=label,
        arm=arm,
        index=index,
        shift=shift,
        true_days=np.where(dead_first, death - index, true_days).astype(np.int32),
        under=under.astype(np.int32),
    )
    return replace(
        courses,
        death=death.astype(np.int32),
        end=end.astype(np.int32),
        recorded_days=(end - index).astype(np.int32),
        recorded_event=seen.event | dead_first,
    )
