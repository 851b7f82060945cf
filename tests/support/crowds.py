"""Crowds of patients in memory, at sites that do what a release asks before they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

import numpy as np
import polars as pl

from simulator.aggregates.table import Table
from simulator.errors import Refused
from simulator.hub.exchanging import Traffic
from simulator.hub.of_study import study_result
from simulator.hub.planner import Plan
from simulator.hub.result import StudyResult
from simulator.hub.run import Finished, carry_out
from simulator.hub.telling import Settings
from simulator.hub.wire import Failure, Reply, Wire
from simulator.language.reading import parse_study
from simulator.language.study import Study
from simulator.messages.codec import decode_request, encode, encode_cells
from simulator.messages.masked import KeysRequest, StepRequest
from simulator.messages.requests import RoundAnswer, RoundRequest
from simulator.privacy.release import Place, Release
from simulator.privacy.releases import KEYED, RELEASES
from simulator.privacy.rules.rule import Cells
from simulator.privacy.sources import keyed_source
from simulator.site.chance import Chance, seeded_chance
from simulator.site.changing import by_rule, same_again, with_noise
from simulator.truth.counted import tables
from tests.support.masks import MaskedSite
from tests.unit.hub.memory import ROWS, in_arm
from tests.unit.hub.wires import plan_of

Crowd = Mapping[str, pl.DataFrame]
"""For each site the rows that the interpreter would return."""

STUDY: Final = parse_study("""
study: crowd
version: 1
title: two arms
codes:
  embolization: [CPT4 37243]
  drug: [RxNorm 3639]
index: {procedure: embolization, occurrence: first}
steps:
  - step: in these years
    require: {dates: 2016-01-01 to 2024-07-31}
  - step: grown up
    require: {age: 18 to 120}
  - step: not on the drug a year before
    require: {none: [{drug: drug, days: -365 to -300}]}
  - step: not on the drug half a year before
    require: {none: [{drug: drug, days: -200 to -150}]}
  - step: not on the drug on the day
    require: {none: [{drug: drug, days: 0}]}
  - step: alive on the day
    require: {none: [{death: any, days: any to 0}]}
arms:
  with: {drug: drug, days: -90 to -1}
  without: {none: [{drug: drug, days: -90 to -1}]}
outcome: death
follow up: {months: 12}
analyses: {survival at months: [1, 3, 6, 12], mean survival to month: 6}
least completeness: 0.1
""")
STEPS: Final = len(STUDY.question.cohort.steps)
ARMS: Final = tuple(arm.name for arm in STUDY.question.arms)

Changed = Callable[[str, RoundRequest, tuple[Table, ...], Chance], tuple[Table, ...]]
"""A site's tables as they leave it under masks: of which site, to what, the exact ones."""


def somebody(
    person: int, arm: int, days: int, *, event: bool, passed: int = STEPS
) -> dict[str, object]:
    """The row of a patient; who did not pass every step is not followed."""
    found = in_arm(STUDY.question, arm, days, event=event)
    return {**found, "person_id": person, "steps_passed": passed}


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    """The rows of one site."""
    return pl.DataFrame(rows, schema=ROWS, orient="row")


def crowd(chance: np.random.Generator, sites: int, size: int, spread: int = 500) -> Crowd:
    """Patients at sites, some of which hold most of them: in two arms, in none, or left behind.

    Args:
        chance: Where they come from.
        sites: How many sites.
        size: How many patients at all of them together.
        spread: They are followed for fewer days than this.
    """
    weights = chance.pareto(1.0, sites) + 0.2
    places = chance.choice(sites, size, p=weights / weights.sum())
    rows: list[list[dict[str, object]]] = [[] for _ in range(sites)]
    for person, place in enumerate(places):
        row = somebody(
            person,
            int(chance.integers(0, len(ARMS))),
            int(chance.integers(0, spread)),
            event=bool(chance.random() < 0.6),
            passed=int(chance.choice([STEPS, STEPS, STEPS, 1, 0])),
        )
        if chance.random() < 0.1:
            row |= {"arm": None, "arms_matched": 0}
        rows[place].append(row)
    return {f"site-{place}": frame(here) for place, here in enumerate(rows)}


def exact(frames: Crowd, request: RoundRequest) -> tuple[Table, ...]:
    """The exact sum for each need, counted from the rows of all sites together."""
    return tables(pl.concat(frames.values()), request.question, request.needs)


def with_share(
    _site: str, request: RoundRequest, found: tuple[Table, ...], chance: Chance
) -> tuple[Table, ...]:
    """The tables with the site's share of the noise, where the release adds noise."""
    if request.release.noise is None:
        return found
    return with_noise(request, found, chance.fresh("noise", request.run, str(request.round)))


class CrowdWire:
    """A wire to sites that hold rows, and apply the release's rule or noise to what they count.

    Args:
        frames: The rows.
        seed: Where the sites' chance comes from.
        changed: What a site does to tables before it masks them.
    """

    def __init__(self, frames: Crowd, seed: int = 0, changed: Changed = with_share) -> None:
        self._frames = frames
        self._changed = changed
        self._chance = {site: seeded_chance(seed, site) for site in frames}
        self._masked = {site: MaskedSite(site) for site in frames}
        self.requests: list[RoundRequest] = []

    def exchange(self, messages: Mapping[str, bytes], seconds: float) -> Iterator[Reply | Failure]:
        assert seconds > 0
        for site, data in messages.items():
            request = decode_request(data)
            if isinstance(request, KeysRequest | StepRequest):
                if isinstance(request, KeysRequest):
                    self.requests.append(request.asked)
                yield Reply(site, self._masked[site].answer(request, partial(self._tables, site)))
                continue
            assert isinstance(request, RoundRequest)
            self.requests.append(request)
            yield Reply(site, encode(self._in_the_clear(site, request)))

    def _counted(self, site: str, request: RoundRequest) -> tuple[Table, ...]:
        return tables(self._frames[site], request.question, request.needs)

    def _tables(self, site: str, request: RoundRequest) -> tuple[Table, ...]:
        return self._changed(site, request, self._counted(site, request), self._chance[site])

    def _in_the_clear(self, site: str, request: RoundRequest) -> RoundAnswer:
        release, name = RELEASES[request.release.name], (site, request.run, request.round)
        counted = self._counted(site, request)
        if not (release.rule and request.release.place is Place.SITE):
            cells = tuple(encode_cells(table.flat()) for table in counted)
            return RoundAnswer(*name, request.roster, cells)
        keys = self._keys(site, request) if release.rule == KEYED else None
        fresh = (request.run, str(request.round))
        same = same_again(request, "the database")
        ruled: tuple[Cells, ...] = by_rule(release, counted, keys, self._chance[site], fresh, same)
        return RoundAnswer(
            *name,
            request.roster,
            tuple(encode_cells(cells.shown) for cells in ruled),
            tuple(np.packbits(cells.withheld).tobytes() for cells in ruled),
        )

    def _keys(self, site: str, request: RoundRequest) -> tuple[Table, ...]:
        """The sum of the patients' keys in each cell; a key follows from the person's number."""
        held = self._frames[site]
        sums = [np.zeros(table.layout.cells, np.int64) for table in self._counted(site, request)]
        for person in held["person_id"]:
            key = int.from_bytes(self._chance[site].sticky("records", str(person))(2))
            alone = tables(held.filter(person_id=person), request.question, request.needs)
            for place, table in enumerate(alone):
                sums[place] += key * table.flat()
        layouts = [table.layout for table in self._counted(site, request)]
        return tuple(map(Table.from_flat, layouts, sums))


def carried_out(
    frames: Crowd, release: Release, wire: Wire, run: str = "law", study: Study = STUDY
) -> tuple[Plan, Finished]:
    """A run of the study over these sites.

    Raises:
        Refused: The release lets nothing out.
    """
    plan = plan_of(study, tuple(frames), release)
    finished = carry_out(
        plan,
        wire,
        run=run,
        seconds=60.0,
        traffic=Traffic(),
        source=keyed_source(b"hub", run),
    )
    return plan, finished


def told(plan: Plan, finished: Finished, study: Study = STUDY) -> StudyResult:
    """What the run's result says."""
    settings = Settings("crowd", plan.roster, False, True, "memory", {})  # noqa: FBT003
    return study_result(study, plan, finished, settings, None)


def asked(frames: Crowd, release: Release, seed: int = 0) -> tuple[Finished, StudyResult] | None:
    """A run of the study and what it tells; None where the release shows an arm as empty."""
    try:
        plan, finished = carried_out(frames, release, CrowdWire(frames, seed))
    except Refused:
        return None
    return finished, told(plan, finished)
