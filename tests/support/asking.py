"""Asks an engine about drawn patients, in questions whose parts are written as YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from simulator.aggregates.grid import Grid, Unit
from simulator.aggregates.survival import SurvivalTable
from simulator.aggregates.table import Table
from simulator.language.reading import parse_study
from simulator.language.study import Question
from simulator.messages.describing import NO_LINE, PathwaysNeed
from simulator.messages.needs import AssignmentNeed, AttritionNeed, EntriesNeed, Need, SurvivalNeed
from simulator.site.store import Store
from tests.support import records
from tests.support.engines import Engine
from tests.support.omop import write_omop

CODES: Final = """
  index: [CPT4 37243]
  scan: [CPT4 79445]
  tumour: [ICD10CM C50 with descendants]
  metastasis: [ICD10CM C78.7]
  chemo: [RxNorm 3639 with descendants]
  immuno: [RxNorm 1547545]
  test: [LOINC 718-7]
  bilirubin: [LOINC 1975-2]
  clotting: [LOINC 6301-6]
  stay: [Visit IP]
"""
INDEX: Final = "{procedure: index, occurrence: first}"
ANYONE: Final = "{dates: any}"


def question(
    *,
    steps: str = "",
    arms: str = f"  everyone: {ANYONE}",
    index: str = INDEX,
    codes: str = CODES,
    months: int = 12,
    outcome: str = "death",
    follow_up: str = "",
    more: str = "",
) -> Question:
    """A question whose parts are given as YAML, indented by two.

    `follow_up` and `more` are further keys of the follow-up, after a comma, and of the study.
    """
    return parse_study(
        f"study: example\nversion: 1\ntitle: an example\ncodes:\n{codes}\nindex: {index}\n"
        f"steps:\n{steps or '  []'}\narms:\n{arms}\n"
        f"outcome: {outcome}\nfollow up: {{months: {months}{follow_up}}}\n{more}"
        "analyses: {survival at months: []}\n"
    ).question


class Site:
    """Asks one engine about drawn patients."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self._folder = folder
        self._engine = engine

    def ask(
        self, asked: Question, people: str, need: Need, *, death_by_month: bool = False
    ) -> Table:
        """The answer to one need about the patients of a table with the column `record`."""
        drawn = [records.record(row["record"]) for row in records.table(people)]
        return self._ask(asked, list(enumerate(drawn, start=1)), need, death_by_month)

    def attrition(self, asked: Question, people: str) -> dict[str, int]:
        """How many are left after each step."""
        return _counts(self.ask(asked, people, AttritionNeed()))

    def assignment(self, asked: Question, people: str) -> dict[str, int]:
        """How many of the cohort are in each arm."""
        return _counts(self.ask(asked, people, AssignmentNeed()))

    def entries(self, asked: Question, people: str) -> dict[str, tuple[int, int, int]]:
        """Patients, days and events that may be the index, after each step."""
        table = self.ask(asked, people, EntriesNeed())
        labels = table.layout.axes[0].labels
        return dict(zip(labels, map(tuple, table.values.tolist()), strict=True))

    def levels(self, asked: Question, people: str, name: str) -> dict[tuple[str, str], int]:
        """How many patients are in each arm and level of a subgroup, where there are any."""
        table = self.ask(
            asked, people, SurvivalNeed(Grid(Unit.MONTH, asked.follow_up.months), name)
        )
        arms, levels = (axis.labels for axis in table.layout.axes[:2])
        number = table.values.sum(axis=(2, 3))
        return {
            (arm, level): int(number[i, j])
            for i, arm in enumerate(arms)
            for j, level in enumerate(levels)
            if number[i, j]
        }

    def pathways(self, asked: Question, people: str) -> dict[str, int]:
        """How many patients had which kinds of treatment first, as ``chemo, then immuno``."""
        table = self.ask(asked, people, PathwaysNeed())
        found = {}
        for place in zip(*table.values[..., 0].nonzero(), strict=True):
            labels = [axis.labels[at] for axis, at in zip(table.layout.axes, place, strict=True)]
            kinds = [label for label in labels if label != NO_LINE]
            found[", then ".join(kinds) or NO_LINE] = int(table.values[(*place, 0)])
        return found

    def survival(
        self,
        asked: Question,
        people: str,
        unit: Unit = Unit.DAY,
        *,
        death_by_month: bool = False,
    ) -> tuple[dict[int, int], dict[int, int]]:
        """Events and censorings of the first arm by cell, where there are any."""
        grid = Grid(unit, asked.follow_up.months)
        answer = self.ask(asked, people, SurvivalNeed(grid), death_by_month=death_by_month)
        table = SurvivalTable(grid, answer)
        return tuple(  # type: ignore[return-value]  # two by construction
            {cell: int(number) for cell, number in enumerate(cells[0]) if number}
            for cells in (table.events, table.censored)
        )

    def fits(
        self,
        criterion: str,
        people: str,
        *,
        codes: str = CODES,
        index: str = INDEX,
        death_by_month: bool = False,
    ) -> None:
        """Asserts of each drawn patient whether the criterion holds, as the column `fits` says."""
        drawn = records.table(people)
        asked = question(
            steps=f"  - step: it fits\n    require: {criterion}", codes=codes, index=index
        )
        # Patient k stands 2^k times in the database, so that the count alone says who fits.
        copies = [
            (1000 * 2**place + copy, records.record(row["record"]))
            for place, row in enumerate(drawn)
            for copy in range(2**place)
        ]
        table = self._ask(asked, copies, AttritionNeed(), death_by_month)
        count = _counts(table)["it fits"]
        fitting = [row["record"] for place, row in enumerate(drawn) if count >> place & 1]
        assert fitting == [row["record"] for row in drawn if _yes(row["fits"])]

    def _ask(
        self,
        asked: Question,
        people: list[tuple[int, records.Drawn]],
        need: Need,
        death_by_month: bool,  # noqa: FBT001 - private, and always a name at the callers above
    ) -> Table:
        store = Store(write_omop(self._folder, records.rows(people)))
        try:
            (table,) = self._engine(store, asked, [need], death_by_month=death_by_month)
        finally:
            store.close()
        return table


def _counts(table: Table) -> dict[str, int]:
    labels = table.layout.axes[0].labels
    return dict(zip(labels, table.flat().tolist(), strict=True))


def _yes(text: str) -> bool:
    assert text in {"yes", "no"}, text
    return text == "yes"
