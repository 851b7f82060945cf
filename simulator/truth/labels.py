"""Holds the patients that the interpreter chooses against what the generator says of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from simulator.errors import UserError
from simulator.language.study import Question
from simulator.synthesis.labels import INDEX, Label
from simulator.synthesis.truth_file import TRUTH_FOLDER
from simulator.truth.counted import in_an_arm

_COLUMNS: Final = (
    "person_id",
    "label",
    "excluded_by",
    "arm",
    "index_date",
    "recorded_days",
    "recorded_event",
)


@dataclass(frozen=True, order=True)
class Someone:
    """A patient about whom label and interpreter disagree; seen in the laboratory only.

    Attributes:
        site: Where they are.
        person_id: Who they are there.
        label: What the generator calls them; empty for someone of whom it says nothing.
    """

    site: str
    person_id: int
    label: str

    def __str__(self) -> str:
        called = f", labelled '{self.label}'" if self.label else ""
        return f"person {self.person_id} at '{self.site}'{called}"


@dataclass(frozen=True)
class LabelReport:
    """Where the labels and the interpreter's choice differ, patient by patient.

    Attributes:
        labelled: How many patients the generator puts into the cohort.
        chosen: How many the interpreter does.
        missed: Labelled as cohort and not chosen.
        wrongly_included: Chosen and not labelled as cohort.
        wrong_arm: Both, in another arm.
        wrong_time: Both, with another index date, other days, or another end of follow-up.
        wrong_step: Near misses that another step excludes than the one they were made for.
        unlabelled: Sites without a truth file, of which nothing can be said.
    """

    labelled: int
    chosen: int
    missed: tuple[Someone, ...] = ()
    wrongly_included: tuple[Someone, ...] = ()
    wrong_arm: tuple[Someone, ...] = ()
    wrong_time: tuple[Someone, ...] = ()
    wrong_step: tuple[Someone, ...] = ()
    unlabelled: tuple[str, ...] = ()

    @property
    def agree(self) -> bool:
        """Whether no patient is told otherwise than they are."""
        return not any(people for _, people in self._kinds())

    def sentences(self) -> tuple[str, ...]:
        """What was found, the counts first, then someone of each kind of disagreement."""
        counts = f"{self.labelled} patients labelled as cohort, {self.chosen} chosen"
        found = [
            f"{len(people)} {kind}, such as {people[0]}" for kind, people in self._kinds() if people
        ]
        if self.unlabelled:
            found.append(f"{len(self.unlabelled)} sites have no labels")
        return (counts, *(found or ["no patient is missed, wrongly included or in a wrong arm"]))

    def _kinds(self) -> tuple[tuple[str, tuple[Someone, ...]], ...]:
        return (
            ("missed", self.missed),
            ("wrongly included", self.wrongly_included),
            ("in a wrong arm", self.wrong_arm),
            ("with a wrong time or end", self.wrong_time),
            ("excluded by another step than meant", self.wrong_step),
        )


def compare_labels(
    folder: Path,
    question: Question,
    frames: Mapping[str, pl.DataFrame],
    label: Label = Label.COHORT,
) -> LabelReport:
    """Compares the labels of a network with the interpreter's choice.

    The labels are those of the studies that the network was made for; another study differs by
    design. By which step a near miss is excluded is known of the first of them.

    Args:
        folder: The network's folder, which holds the truth files.
        question: What the interpreter was asked.
        frames: What `patients` returned, by site.
        label: What the truth calls the study's patients.
    """
    files = {site: folder / TRUTH_FOLDER / f"{site}.parquet" for site in frames}
    labelled = {site: path for site, path in files.items() if path.is_file()}
    if not labelled:
        return LabelReport(0, 0, unlabelled=tuple(sorted(frames)))
    truth = pl.concat([_labels(site, path) for site, path in labelled.items()])
    met = pl.concat([_met(site, frames[site], question) for site in labelled])
    both = truth.join(met, on=["site", "person_id"], how="full", coalesce=True).with_columns(
        cohort=(pl.col("label") == label).fill_null(value=False),
        chosen=pl.col("chosen").fill_null(value=False),
    )
    agreed = both.filter("cohort", "chosen")
    meant = both.filter(~pl.col("cohort"), label == Label.COHORT)
    return LabelReport(
        labelled=int(both["cohort"].sum()),
        chosen=int(both["chosen"].sum()),
        missed=_people(both.filter("cohort", ~pl.col("chosen"))),
        wrongly_included=_people(both.filter("chosen", ~pl.col("cohort"))),
        wrong_arm=_people(agreed.filter(pl.col("arm").ne_missing(pl.col("arm_chosen")))),
        wrong_time=_people(agreed.filter(_another_time())),
        wrong_step=_people(meant.filter(_another_step(question))),
        unlabelled=tuple(sorted(set(files) - set(labelled))),
    )


def _labels(site: str, path: Path) -> pl.DataFrame:
    try:
        truth = pl.read_parquet(path, columns=list(_COLUMNS))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UserError(
            "the truth file cannot be read",
            where=str(path),
            hint="Remove it and run `cohortium build` again.",
        ) from error
    return truth.select(
        pl.lit(site).alias("site"), pl.col("person_id").cast(pl.Int64), *_COLUMNS[1:]
    )


def _met(site: str, frame: pl.DataFrame, question: Question) -> pl.DataFrame:
    """Everyone with an index, how far they came, and whether and into which arm."""
    names = dict(enumerate(arm.name for arm in question.arms))
    chosen = in_an_arm(frame, question).select("person_id", chosen=True)
    return frame.join(chosen, on="person_id", how="left").select(
        pl.lit(site).alias("site"),
        pl.col("person_id").cast(pl.Int64),
        "steps_passed",
        "days",
        "event",
        "chosen",
        index_chosen="index_date",
        arm_chosen=pl.col("arm").replace_strict(names, return_dtype=pl.String),
    )


def _another_time() -> pl.Expr:
    pairs = (("index_date", "index_chosen"), ("recorded_days", "days"), ("recorded_event", "event"))
    return pl.any_horizontal(pl.col(said).ne_missing(pl.col(seen)) for said, seen in pairs)


def _another_step(question: Question) -> pl.Expr:
    """Whether someone was excluded otherwise than meant; false for steps that are not asked."""
    places = {step.name: place for place, step in enumerate(question.cohort.steps)}
    meant = pl.col("excluded_by").replace_strict(places, default=None, return_dtype=pl.Int64)
    no_index = pl.col("excluded_by") == INDEX
    wrong_step = meant.is_not_null() & pl.col("steps_passed").ne_missing(meant)
    return wrong_step | (no_index & pl.col("steps_passed").is_not_null()).fill_null(value=False)


def _people(rows: pl.DataFrame) -> tuple[Someone, ...]:
    told = rows.select("site", "person_id", pl.col("label").fill_null("")).rows()
    return tuple(sorted(Someone(*row) for row in told))
