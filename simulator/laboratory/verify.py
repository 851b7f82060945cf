"""Holds a study against the truth: federated sums, pooled rows, the generator's labels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import msgspec
import polars as pl

from simulator.aggregates.grid import Unit
from simulator.errors import Refused, VerificationFailed, one_of
from simulator.hub.client import Client
from simulator.laboratory.contrast_lines import contrast_lines
from simulator.laboratory.lines import (
    Line,
    cohort_lines,
    day_lines,
    month_lines,
)
from simulator.language.study import Study
from simulator.network import BuiltNetwork, connect
from simulator.privacy.releases import EXACT, SECURE_SUM
from simulator.synthesis.labels import STUDIES
from simulator.truth.at_site import patients_at
from simulator.truth.counted import in_an_arm
from simulator.truth.labels import compare_labels
from simulator.truth.pooled import pooled_truth


class Part(msgspec.Struct, frozen=True):
    """The quantities of one release, with what it is called."""

    name: str
    lines: tuple[Line, ...]


class Verification(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        study: The study's name.
        parts: The quantities, by month and by day.
        labels: What the comparison with the generator's labels found, in sentences.
        labels_agree: Whether no patient was missed, wrongly included, or in a wrong arm; always
            true for a study that the labels are not of.
        verdict: The outcome in a sentence.
    """

    study: str
    parts: tuple[Part, ...]
    labels: tuple[str, ...]
    labels_agree: bool
    verdict: str

    def raise_on_mismatch(self) -> None:
        """Ends with an error where any two ways disagree.

        Raises:
            VerificationFailed: A quantity differs, or labels do.
        """
        lines = [line for part in self.parts for line in part.lines]
        if not self.labels_agree or not all(line.agrees for line in lines):
            raise VerificationFailed(self.verdict)


def verify(
    study: Study,
    network: BuiltNetwork,
    *,
    jobs: int,
    seconds: float,
    clock: Callable[[], dt.datetime],
) -> Verification:
    """Runs a study in the laboratory and holds it against rows and labels of all sites.

    The rows are chosen by the interpreter at every site that is on line, also at those that the
    planner leaves out: a patient there would show as a mismatch. Patients at sites that are off
    line are told apart: nobody could have asked for them.
    """
    client = connect(network, laboratory=True, jobs=jobs, seconds=seconds, clock=clock)
    frames = {
        member.site: patients_at(network.folder_of(member.site), study.question)
        for member in network.members
    }
    away = [member.site for member in network.members if not member.online]
    rows = [frame for site, frame in frames.items() if site not in away]
    asked = [frames[site] for site in client.plan(study, EXACT).roster]
    parts = [_by_day(client, study, asked, rows)]
    told = _unreachable(study, [frames[site] for site in away])
    try:
        parts.insert(0, _by_month(client, study, asked, rows))
    except Refused as refusal:
        told += (f"by month nothing is released: {refusal.message}",)
    agree, missing = True, 0
    if study.name in STUDIES:
        labels = compare_labels(network.folder, study.question, frames, STUDIES[study.name])
        told += labels.sentences()
        agree, missing = labels.agree, len(labels.unlabelled)
    else:
        known = one_of(STUDIES).replace(" or ", " and ")
        told += (f"the labels are those of {known}; nothing is known of this study",)
    return Verification(
        study.name, tuple(parts), told, agree, _verdict(parts, missing, labels_agree=agree)
    )


def _unreachable(study: Study, frames: list[pl.DataFrame]) -> tuple[str, ...]:
    """How many patients of the arms are at sites that are off line, in a sentence if there are."""
    patients = sum(in_an_arm(frame, study.question).height for frame in frames)
    if not patients:
        return ()
    return (f"{patients:,} more patients are at sites that are off line; no number counts them",)


def _by_month(
    client: Client, study: Study, asked: list[pl.DataFrame], rows: list[pl.DataFrame]
) -> Part:
    """What the default release prints, against a life table and lifelines on months."""
    result = client.run(study, SECURE_SUM, run="verify by month").result
    lines = (
        *cohort_lines(study, result, asked, rows),
        *month_lines(study, result, rows),
        *contrast_lines(result, pooled_truth(rows, study, Unit.MONTH)),
    )
    return Part("by month, as released by secure-sum", lines)


def _by_day(
    client: Client, study: Study, asked: list[pl.DataFrame], rows: list[pl.DataFrame]
) -> Part:
    """The same by day, against lifelines."""
    result = client.run(study, EXACT, run="verify by day").result
    pooled = pooled_truth(rows, study, Unit.DAY)
    lines = (
        *cohort_lines(study, result, asked, rows),
        *day_lines(study, result, pooled),
        *contrast_lines(result, pooled),
    )
    return Part("by day, as under exact", lines)


def _verdict(parts: list[Part], unlabelled: int, *, labels_agree: bool) -> str:
    lines = [line for part in parts for line in part.lines]
    differing = sum(not line.agrees for line in lines)
    if differing or not labels_agree:
        told = f"{differing} of {len(lines)} quantities differ"
        return f"not verified: {told}{'' if labels_agree else '; labels disagree'}"
    partly = f"; of {unlabelled} sites there are no labels" if unlabelled else ""
    return f"verified: {len(lines)} quantities agree{partly}"
