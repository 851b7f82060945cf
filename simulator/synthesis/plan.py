"""The small plan of a whole network: who is where, and the courses of the cohort."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.errors import UserError
from simulator.synthesis.ablations import SecondFigures, draw_second_study, site_of
from simulator.synthesis.acceptance import ArmFigures, draw_arm
from simulator.synthesis.courses import Courses
from simulator.synthesis.labels import NEAR_MISSES, Label
from simulator.synthesis.near_misses import SEEN_AT_LEAST, draw_arms
from simulator.synthesis.networks import NetworkFile
from simulator.synthesis.organisations import Organisation
from simulator.synthesis.scenario import Scenario

_PATIENTS_OF_COUNTS: Final = 200_000
_LEAST_BACKGROUND: Final = 12
_LEAST_OF_MEAN: Final = 10


@dataclass(frozen=True)
class SitePlan:
    """What one site is built from, apart from scenario, seed and its own habits.

    Attributes:
        number: The site's position in the network.
        patients: All its patients.
        near_misses: Label -> patients.
        cohort: The courses of its cohort patients.
        second: The courses of the second study's patients; at most one site has any.
    """

    number: int
    patients: int
    near_misses: dict[Label, int]
    cohort: Courses
    second: Courses


@dataclass(frozen=True)
class Plan:
    """The plan of a network.

    Attributes:
        sites: One for each organisation, in order.
        figures: What each arm's recorded data show.
        can_answer: Whether each organisation can answer the study, shape (organisations,).
        second: What the second study's recorded data show; None where there is none.
    """

    sites: tuple[SitePlan, ...]
    figures: tuple[ArmFigures, ...]
    can_answer: NDArray[np.bool_]
    second: SecondFigures | None


def generator(network: NetworkFile, seed: int, part: str) -> np.random.Generator:
    """The source of randomness of one part of a network, independent of all other parts."""
    scenario = int(network.scenario.seed_fingerprint[:16], 16)
    return np.random.default_rng(
        np.random.SeedSequence([seed, scenario, zlib.crc32(part.encode())])
    )


def _place_cohort(
    rng: np.random.Generator, count: int, weights: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Positions of sites for `count` patients in random order; each site with weight has one."""
    able = np.flatnonzero(weights)
    if count < len(able):
        raise UserError(
            f"{count} patients of the cohort cannot be at {len(able)} sites",
            hint="Give the arms of the scenario more patients.",
        )
    rest = rng.choice(len(weights), size=count - len(able), p=weights / weights.sum())
    placed = rng.permutation(np.concatenate([able, rest]))
    return placed.astype(np.int32)


def _sizes(rng: np.random.Generator, scenario: Scenario) -> list[int]:
    sizes = [arm.patients for arm in scenario.arms]
    if not scenario.drawn_sizes:
        return sizes
    arms = draw_arms(rng, scenario.arms, int(rng.poisson(sum(sizes))))
    return [int(number) for number in np.bincount(arms, minlength=len(sizes))]


def _draw_cohort(
    network: NetworkFile, seed: int, weights: NDArray[np.float64]
) -> tuple[Courses, tuple[ArmFigures, ...]]:
    rng = generator(network, seed, "plan/places")
    sizes = _sizes(rng, network.scenario)
    places = np.split(_place_cohort(rng, sum(sizes), weights), np.cumsum(sizes)[:-1])
    drawn = [
        draw_arm(
            generator(network, seed, f"plan/arm {number}"),
            number,
            site,
            network.organisations,
            network.scenario,
            seed,
        )
        for number, site in enumerate(places)
    ]
    return Courses.concatenate([courses for courses, _ in drawn]), tuple(one for _, one in drawn)


def _near_misses(
    network: NetworkFile, patients: int, seed: int, can_answer: NDArray[np.bool_]
) -> list[dict[Label, int]]:
    rng = generator(network, seed, "plan/near misses")
    scenario, organisations = network.scenario, network.organisations
    weights = np.array([organisation.weight for organisation in organisations])
    far = np.array([organisation.shift > 2 * SEEN_AT_LEAST for organisation in organisations])
    places = {
        Label.AFTER_WINDOW: can_answer & far,
        Label.ELSEWHERE: ~can_answer,
    }
    found: list[dict[Label, int]] = [{} for _ in organisations]
    for label in NEAR_MISSES:
        share = weights * places.get(label, can_answer)
        wanted = scenario.near_misses[label] * patients // _PATIENTS_OF_COUNTS
        if not share.any() or not scenario.near_misses[label]:
            continue
        counts = rng.multinomial(max(wanted, scenario.least), share / share.sum())
        for number in np.flatnonzero(counts):
            found[number][label] = int(counts[number])
    return found


def _background(patients: int, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Shares `patients` out by weight, the total exact.

    Each site has a few, and at least a tenth of the mean site, so that none falls below what the
    policies ask of a database.
    """
    least = max(_LEAST_BACKGROUND, patients // len(weights) // _LEAST_OF_MEAN)
    exact = weights / weights.sum() * (patients - least * len(weights))
    counts = np.floor(exact).astype(np.int64)
    missing = int(exact.sum().round()) - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:missing]] += 1
    shared: NDArray[np.int64] = counts + least
    return shared


def _draw_second(
    network: NetworkFile, seed: int
) -> tuple[Courses, SecondFigures] | tuple[None, None]:
    """The second study, where the scenario has one and a site can hold it."""
    study = network.scenario.second
    site = None if study is None else site_of(network.organisations, study)
    if study is None or site is None:
        return None, None
    return draw_second_study(
        lambda part: generator(network, seed, part),
        site,
        network.organisations,
        network.scenario,
        study,
        seed,
    )


def _room_for(second: Courses | None, weights: NDArray[np.float64]) -> int:
    """How many more patients a network must have so that the second study finds its place.

    Its patients take the places of others at their site: no other site changes with them.
    """
    if second is None or len(second) <= _LEAST_BACKGROUND:
        return 0
    share = weights[second.site[0]] / weights.sum()
    return int(np.ceil((len(second) - _LEAST_BACKGROUND + 1) / share))


def _answering(organisations: Sequence[Organisation], scenario: Scenario) -> NDArray[np.bool_]:
    return np.array([one.can_answer(scenario.first, scenario.last) for one in organisations])


def draw_plan(network: NetworkFile, *, patients: int, seed: int) -> Plan:
    """Draws the plan of a network.

    Args:
        network: The network.
        patients: All patients of all sites.
        seed: Any whole number from 0 up.

    Raises:
        UserError: There are too few patients for the cohort and its near misses, or no draw of an
            arm was accepted.
    """
    weights = np.array([organisation.weight for organisation in network.organisations])
    can_answer = _answering(network.organisations, network.scenario)
    cohort, found = _draw_cohort(network, seed, weights * can_answer)
    near_misses = _near_misses(network, patients, seed, can_answer)
    second, seen = _draw_second(network, seed)
    planned = np.bincount(cohort.site, minlength=len(weights))
    planned = planned + np.array([sum(counts.values()) for counts in near_misses])
    least = int(planned.sum()) + _LEAST_BACKGROUND * len(weights) + _room_for(second, weights)
    if patients < least:
        raise UserError(
            f"{patients} patients are too few for '{network.name}'",
            hint=f"Its patients of studies and its {len(weights)} sites need {least} or more.",
        )
    nobody = cohort.take(np.empty(0, dtype=np.int64))
    background = _background(patients - int(planned.sum()), weights)
    sites = tuple(
        SitePlan(
            number,
            int(planned[number] + background[number]),
            near_misses[number],
            cohort.take(cohort.site == number),
            nobody if second is None else second.take(second.site == number),
        )
        for number in range(len(weights))
    )
    return Plan(sites, found, can_answer, seen)
