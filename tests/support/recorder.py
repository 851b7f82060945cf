"""Keeps what a spec test asks, to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from simulator.aggregates.grid import Unit
from simulator.language.study import Question
from tests.support import asking
from tests.support.asking import ANYONE, CODES, INDEX, Site
from tests.support.engines import ENGINES
from tests.support.records import table

Kept = TypeVar("Kept", bound=Mapping[str, object])
_AT: Final = {Unit.DAY: "on day", Unit.MONTH: "in month"}


@dataclass(frozen=True)
class Asked:
    """One call of a test: what was asked about whom, and what was answered.

    Attributes:
        parts: The parts of the question that matter, as YAML.
        criterion: The criterion of which the column ``fits`` tells whether it holds, if one does.
        people: The rows of the table.
        answer: What was found, in words; empty where the table's column ``fits`` says it.
        by_month: Whether the site knows deaths by month only.
    """

    parts: str
    criterion: str
    people: list[dict[str, str]]
    answer: str = ""
    by_month: bool = False


class Recorder(Site):
    """A site that keeps what it is asked; it answers by the interpreter.

    Args:
        folder: Where it may write its database.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ENGINES["interpreter"])
        self.asked: list[Asked] = []
        self._questions: dict[Question, str] = {}

    def question(self, **parts: object) -> Question:
        """`tests.support.asking.question`, which remembers what it was given."""
        made = asking.question(**parts)  # type: ignore[arg-type]  # the same keywords
        self._questions[made] = _yaml(parts)
        return made

    def fits(
        self,
        criterion: str,
        people: str,
        *,
        codes: str = CODES,
        index: str = INDEX,
        death_by_month: bool = False,
    ) -> None:
        """Keeps the table; the spec test itself asks the engines."""
        parts = _yaml({"codes": codes, "index": index})
        self.asked.append(Asked(parts, criterion, table(people), by_month=death_by_month))

    def attrition(self, asked: Question, people: str) -> dict[str, int]:
        """How many are left after each step."""
        return self._kept(asked, people, super().attrition(asked, people), "Left")

    def assignment(self, asked: Question, people: str) -> dict[str, int]:
        """How many of the cohort are in each arm."""
        return self._kept(asked, people, super().assignment(asked, people), "Patients")

    def entries(self, asked: Question, people: str) -> dict[str, tuple[int, int, int]]:
        """Patients, days and events that may be the index, after each step."""
        found = super().entries(asked, people)
        said = {step: "{}, {}, {}".format(*counts) for step, counts in found.items()}
        self._kept(asked, people, said, "Patients, days and events")
        return found

    def levels(self, asked: Question, people: str, name: str) -> dict[tuple[str, str], int]:
        """How many patients are in each arm and level of a subgroup, where there are any."""
        found = super().levels(asked, people, name)
        said = {f"{arm}, {level}": number for (arm, level), number in found.items()}
        self._kept(asked, people, said, f"By arm and {name}")
        return found

    def pathways(self, asked: Question, people: str) -> dict[str, int]:
        """How many patients had which kinds of treatment first."""
        return self._kept(asked, people, super().pathways(asked, people), "Patients")

    def survival(
        self,
        asked: Question,
        people: str,
        unit: Unit = Unit.DAY,
        *,
        death_by_month: bool = False,
    ) -> tuple[dict[int, int], dict[int, int]]:
        """Events and censorings of the first arm by cell, where there are any."""
        found = super().survival(asked, people, unit, death_by_month=death_by_month)
        first = 0 if unit is Unit.DAY else 1
        said = [
            f"{what}: "
            + (", ".join(f"{n} {_AT[unit]} {cell + first}" for cell, n in cells.items()))
            for what, cells in zip(("events", "censored"), found, strict=True)
            if cells
        ]
        self._keep(asked, people, "; ".join(said).capitalize() + ".", by_month=death_by_month)
        return found

    def _kept(self, asked: Question, people: str, found: Kept, what: str) -> Kept:
        said = "; ".join(f"{name} {number}" for name, number in found.items())
        self._keep(asked, people, f"{what}: {said}.")
        return found

    def _keep(self, asked: Question, people: str, answer: str, *, by_month: bool = False) -> None:
        parts = self._questions[asked]
        self.asked.append(Asked(parts, "", table(people), answer, by_month=by_month))


def _yaml(parts: Mapping[str, object]) -> str:
    """The parts of a question that are not what they usually are, as YAML."""
    given = {name: str(value) for name, value in parts.items()}
    lines = []
    codes = given.get("codes", CODES).removeprefix(CODES).strip("\n")
    if codes and given.get("codes") != CODES:
        lines.append(f"codes:\n{codes}")
    if given.get("index", INDEX) != INDEX:
        lines.append(f"index: {given['index']}")
    for name in ("steps", "arms"):
        body = given.get(name, "").strip("\n")
        if body and body.strip() != f"everyone: {ANYONE}":
            lines.append(f"{name}:\n{body}")
    if "outcome" in given:
        lines.append(f"outcome: {given['outcome']}")
    follow_up = f"months: {given.get('months', '12')}{given.get('follow_up', '')}"
    if "months" in given or given.get("follow_up"):
        lines.append(f"follow up: {{{follow_up}}}")
    if "more" in given:
        lines.append(given["more"].strip("\n"))
    return "".join(f"{line}\n" for line in lines)
