"""Draws the patients of the second study, those of one hospital whose tumours were ablated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np

from simulator.synthesis.ablation_facts import have_room
from simulator.synthesis.acceptance import draw_until, median_by_day
from simulator.synthesis.courses import Courses
from simulator.synthesis.days import day_number
from simulator.synthesis.follow_up import Recording, follow
from simulator.synthesis.illness import draw_survival, draw_traits, weibull_days
from simulator.synthesis.labels import NUMBER, Label
from simulator.synthesis.organisations import Organisation
from simulator.synthesis.scenario import Scenario, SecondStudy

_RUN_UP: Final = 200  # days of records before the first index date
_PATIENCE: Final = 50  # draws of the last group beside the same others


class SecondFigures(msgspec.Struct, frozen=True):
    """What the recorded data of the second study show.

    Attributes:
        study: Its name.
        site: Where it is.
        patients: How many there are.
        median_by_day: Months, of all together; None where it is not reached.
        draws: Group -> how many draws were made, the accepted one included.
        medians_by_day: Group -> months, or None where it is not reached.
    """

    study: str
    site: str
    patients: int
    median_by_day: float | None
    draws: dict[str, int]
    medians_by_day: dict[str, float | None]


def site_of(organisations: Sequence[Organisation], study: SecondStudy) -> int | None:
    """The position of the largest organisation that can hold the study; None if there is none."""

    def fits(one: Organisation) -> bool:
        return (
            one.online
            and {"condition", "procedure", "death"} <= set(one.domains)
            and {"ICD10CM", "CPT4"} <= set(one.vocabularies)
            and not one.month_deaths
            and one.shift == 0
            and (study.first - one.first).days >= _RUN_UP
            and one.last >= study.last
        )

    fitting = [number for number, one in enumerate(organisations) if fits(one)]
    return max(fitting, key=lambda number: organisations[number].weight, default=None)


class _Drawing:
    """Draws the groups of a second study at one site, one after another."""

    def __init__(
        self,
        generator: Callable[[str], np.random.Generator],
        organisations: Sequence[Organisation],
        site: int,
        scenario: Scenario,
        study: SecondStudy,
        where: str,
    ) -> None:
        self.organisations, self.site = organisations, site
        self.scenario, self.study = scenario, study
        self.where = where
        self.rngs = [
            generator(f"second study/group {number}") for number in range(len(study.groups))
        ]
        self.draws = [0] * len(study.groups)

    def group(self, number: int) -> Courses:
        """One group, drawn once; its patients stand in the order of the group's lesions."""
        study, scenario, rng = self.study, self.scenario, self.rngs[number]
        count, arms = len(study.groups[number].lesions), len(scenario.arms)
        where = np.full(count, self.site, dtype=np.int32)
        shift, nobody = np.zeros(count, dtype=np.int32), np.zeros(count, dtype=np.bool_)
        first, last = day_number(study.first), day_number(study.last)
        index = rng.integers(first, last + 1, count).astype(np.int32)
        traits = draw_traits(rng, scenario.covariates, immunotherapy=nobody, tace=nobody)
        true_days = weibull_days(draw_survival(rng, traits.log_hazard), study.groups[number])
        seen = follow(
            rng,
            index,
            shift,
            true_days,
            Recording.of(self.organisations, where),
            drop_out=scenario.drop_out,
            last_contact_gap=scenario.last_contact_gap,
        )
        return Courses.drawn(
            traits,
            seen,
            site=where,
            label=np.full(count, NUMBER[Label.SECOND_STUDY], dtype=np.int8),
            arm=np.full(count, arms + number, dtype=np.int8),
            index=index,
            shift=shift,
            true_days=true_days,
            under=np.repeat(true_days[:, None], arms, axis=1),
        )

    def median(self, courses: Courses) -> float | None:
        """The recorded median in months, None where it is not reached."""
        return median_by_day(courses.recorded_days, courses.recorded_event, self.study.horizon)

    def is_near(self, courses: Courses, wanted: float | None) -> bool:
        """Whether the recorded median lies near the wanted one, if one is wanted."""
        if wanted is None:
            return True
        found = self.median(courses)
        return found is not None and abs(found - wanted) <= self.study.median_within

    def stands(self, number: int, courses: Courses) -> bool:
        """Whether a draw of a group is accepted by itself."""
        study, group = self.study, self.study.groups[number]
        if not study.required:
            return True
        watched = int((courses.recorded_days >= study.session_days[1]).sum())
        return watched >= len(group.later_lesions) and self.is_near(courses, group.recorded_median)

    def fit(self, drawn: Sequence[Courses]) -> bool:
        """Whether all groups are accepted together."""
        study, together = self.study, Courses.concatenate(drawn)
        if not study.required:
            return True
        return self.is_near(together, study.recorded_median) and have_room(together, study)

    def until_it_stands(self, number: int) -> Courses:
        """A group, drawn until it is accepted by itself."""
        drawn, draws = draw_until(
            lambda: self.group(number),
            lambda courses: self.stands(number, courses),
            at_most=self.study.at_most,
            what=f"the group '{self.study.groups[number].name}'",
            where=self.where,
        )
        self.draws[number] += draws
        return drawn

    def attempt(self) -> tuple[Courses, ...]:
        """All groups; the last one is drawn some times beside the same others."""
        *firsts, last = range(len(self.study.groups))
        before = tuple(self.until_it_stands(number) for number in firsts)
        for _ in range(_PATIENCE):
            drawn = (*before, self.until_it_stands(last))
            if self.fit(drawn):
                break
        return drawn

    def until_all_fit(self) -> tuple[Courses, ...]:
        """All groups, drawn until they are accepted together."""
        drawn, _ = draw_until(
            self.attempt,
            self.fit,
            at_most=self.study.at_most,
            what="all groups together",
            where=self.where,
        )
        return drawn


def draw_second_study(
    generator: Callable[[str], np.random.Generator],
    site: int,
    organisations: Sequence[Organisation],
    scenario: Scenario,
    study: SecondStudy,
    seed: int,
) -> tuple[Courses, SecondFigures]:
    """Draws the second study group by group, each whole until its recorded median lies near.

    All together must also have the reported median, and be watched long enough for what is found
    after their ablations. Where no draw of the last group does that, all are drawn anew.

    Args:
        generator: Gives the source of randomness of a part by its name.
        site: The position of their site.
        organisations: All organisations.
        scenario: The scenario.
        study: Its second study.
        seed: The network's seed, for the message when no draw is accepted.

    Returns:
        The patients, in the order of the groups and of each group's lesions, and what they show.

    Raises:
        UserError: No draw of a group was accepted within the limit.
    """
    where = f"scenario '{scenario.name}', seed {seed}"
    drawing = _Drawing(generator, organisations, site, scenario, study, where)
    drawn = drawing.until_all_fit()
    together = Courses.concatenate(drawn)
    names = [group.name for group in study.groups]
    return together, SecondFigures(
        study=study.name,
        site=organisations[site].site,
        patients=len(together),
        median_by_day=drawing.median(together),
        draws=dict(zip(names, drawing.draws, strict=True)),
        medians_by_day=dict(zip(names, map(drawing.median, drawn), strict=True)),
    )
