"""Holds a study against the truth: federated sums, pooled rows, the generator's labels."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator

import msgspec

from simulator.aggregates.grid import Unit
from simulator.errors import Refused, VerificationFailed
from simulator.hub.result import ArmResult, StudyResult
from simulator.language.study import Study
from simulator.network import BuiltNetwork, connect
from simulator.privacy.releases import EXACT, SECURE_SUM
from simulator.synthesis.labels import LABELLED_STUDY
from simulator.truth.at_site import patients_at
from simulator.truth.labels import compare_labels
from simulator.truth.pooled import ArmTruth, PooledTruth, pooled_truth

_TOLERANCE = 1e-9
_COX_TOLERANCE = 1e-6


class Line(msgspec.Struct, frozen=True):
    """One quantity three times: from sums, from pooled rows, and as it was reported."""

    quantity: str
    federated: float | None
    pooled: float | None
    reported: float | None
    agrees: bool


class Verification(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        study: The study's name.
        lines: The quantities.
        labels: What the comparison with the generator's labels found, in sentences.
        labels_agree: Whether no patient was missed, wrongly included, or in a wrong arm; always
            true for a study that the labels are not of.
        verdict: The outcome in a sentence.
    """

    study: str
    lines: tuple[Line, ...]
    labels: tuple[str, ...]
    labels_agree: bool
    verdict: str

    def raise_on_mismatch(self) -> None:
        """Ends with an error where any two ways disagree.

        Raises:
            VerificationFailed: A quantity differs, or labels do.
        """
        if not self.labels_agree or not all(line.agrees for line in self.lines):
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

    The rows are chosen by the interpreter at every site of the network, also at those that the
    planner leaves out: a patient there would show as a mismatch.
    """
    client = connect(network, laboratory=True, jobs=jobs, seconds=seconds, clock=clock)
    result = client.run(study, EXACT, run="verify").result
    frames = {
        member.site: patients_at(network.folder_of(member.site), study.question)
        for member in network.members
    }
    rows = list(frames.values())
    lines = tuple(_lines(study, result, pooled_truth(rows, study, Unit.DAY)))
    try:
        by_month = client.run(study, SECURE_SUM, run="verify by month").result
    except Refused as refusal:
        skipped: tuple[str, ...] = (f"by month nothing is released: {refusal.message}",)
    else:
        skipped = ()
        lines += tuple(_tests(by_month, pooled_truth(rows, study, Unit.MONTH), "by month: "))
    labels = compare_labels(network.folder, study.question, frames)
    told = (*skipped, *labels.sentences())
    agree = labels.agree
    if study.name != LABELLED_STUDY:
        told += (f"the labels are those of '{LABELLED_STUDY}': another study may differ from them",)
        agree = True
    return Verification(study.name, lines, told, agree, _verdict(lines, labels_agree=agree))


def _verdict(lines: tuple[Line, ...], *, labels_agree: bool) -> str:
    differing = sum(not line.agrees for line in lines)
    if differing == 0 and labels_agree:
        return f"verified: {len(lines)} quantities agree"
    told = f"{differing} of {len(lines)} quantities differ"
    return f"not verified: {told}{'' if labels_agree else '; labels disagree'}"


def _lines(study: Study, result: StudyResult, pooled: PooledTruth) -> Iterator[Line]:
    reported = study.reported
    total = result.cohort.patients
    yield _line(
        "patients in the cohort",
        float(total) if isinstance(total, int) else None,
        float(sum(arm.patients for arm in pooled.arms)),
        float(reported.patients) if reported and reported.patients is not None else None,
        _TOLERANCE,
    )
    for arm, truth in zip(result.arms, pooled.arms, strict=True):
        yield from _arm_lines(study, arm, truth)
    yield from _tests(result, pooled, "")


def _tests(result: StudyResult, pooled: PooledTruth, prefix: str) -> Iterator[Line]:
    """The log-rank test and every hazard ratio."""
    if result.log_rank is not None:
        yield _line(
            f"{prefix}log-rank chi-squared",
            result.log_rank.statistic,
            pooled.log_rank.statistic,
            None,
            _TOLERANCE,
        )
    for ratio, other in zip(result.hazard_ratios, pooled.hazard_ratios, strict=True):
        same = (ratio.arm, ratio.reference) == (other.arm, other.reference)
        name = f"{prefix}hazard ratio {ratio.arm} / {ratio.reference}"
        for what, mine, theirs in (
            (name, ratio.estimate, other.ratio.estimate),
            ("  from", ratio.lower, other.ratio.lower),
            ("  to", ratio.upper, other.ratio.upper),
        ):
            yield _line(what, mine, theirs if same else math.nan, None, _COX_TOLERANCE)


def _arm_lines(study: Study, arm: ArmResult, truth: ArmTruth) -> Iterator[Line]:
    said = next(
        (
            found
            for found in (study.reported.arms if study.reported else ())
            if found.arm == arm.arm
        ),
        None,
    )
    yield _line(f"{arm.arm}: patients", arm.patients, truth.patients, None, _TOLERANCE)
    yield _line("  died", arm.events, truth.events, None, _TOLERANCE)
    yield _line(
        "  median, months",
        arm.median_months.estimate,
        truth.median_months.estimate,
        said.median_months if said else None,
        _TOLERANCE,
    )
    yield _line(
        "  median follow-up, months",
        arm.median_follow_up_months,
        truth.median_follow_up_months.estimate,
        None,
        _TOLERANCE,
    )
    survival = dict(said.survival) if said else {}
    for mark, other in zip(arm.survival, truth.survival, strict=True):
        name = f"  alive at {mark.months} months"
        yield _line(
            name, mark.estimate, other.survival.estimate, survival.get(mark.months), _TOLERANCE
        )
        yield _line("    from", mark.lower, other.survival.lower, None, _TOLERANCE)
        yield _line("    to", mark.upper, other.survival.upper, None, _TOLERANCE)
        yield _line("    still watched", mark.at_risk, other.at_risk, None, _TOLERANCE)


def _line(
    quantity: str,
    federated: float | None,
    pooled: float | None,
    reported: float | None,
    tolerance: float,
) -> Line:
    """A line; two numbers agree within a relative and absolute tolerance, two gaps always."""
    if federated is None or pooled is None:
        agrees = federated is None and pooled is None
    else:
        agrees = math.isclose(federated, pooled, rel_tol=tolerance, abs_tol=tolerance)
    return Line(
        quantity,
        None if federated is None else float(federated),
        None if pooled is None else float(pooled),
        reported,
        agrees,
    )
