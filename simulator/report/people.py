"""The sections on whose counts these are: how the cohort was reached, and which sites answered."""

from __future__ import annotations

from simulator.aggregates.released import Noisy
from simulator.hub.result import NetworkResult, ReleaseResult, Report, StudyResult
from simulator.language.study import Study
from simulator.privacy.releases import RELEASES, Treatment
from simulator.report.attrition import attrition_svg
from simulator.report.markup import NOTHING, Markup, element, join, listed, paragraph
from simulator.report.tables import Column, facts, table
from simulator.report.words import plural, sentence


def attrition(report: Report, _study: Study) -> Markup:
    """The flow of patients, step by step."""
    result = report.result
    explained = "Each box counts those who also passed every box above."
    return element(
        "figure",
        attrition_svg(result.cohort, result.arms, exact=not result.is_ruled),
        element("figcaption", explained + _small_counts(result)),
        class_="flow",
    )


def _small_counts(result: StudyResult) -> str:
    """What becomes of small counts: in the flow, and within the arms."""
    release = result.release
    few = f"1 to {release.threshold - 1}"
    match RELEASES[release.name].treatments["attrition"]:
        case Treatment.SMALL_WITHHELD:
            within = (
                "deaths and numbers still watched are rounded, and told between bounds"
                if result.is_as_shown
                else "deaths and numbers still watched are exact, small ones too"
            )
            return (
                f" A box of {few} patients is withheld, and so is one that would show such a small "
                "group by its difference to another. Curves are given only if no arm has "
                f"{few} patients; within the arms, {within}."
            )
        case Treatment.SMALL_ROUNDED:
            return f" A count of {few} is shown as {release.threshold - 1}, here and in the arms."
        case Treatment.NOISED:
            return f" Every count carries noise, {_errors(result)}; none is exact."
        case Treatment.RULED:
            return (
                " Each count is as the rule shows it. Where it withheld a part, the count is known "
                "to lie between two numbers. The arms are counted by another question, so they "
                "need not add up to the cohort."
            )
        case _:
            return ""


def _errors(result: StudyResult) -> str:
    """How much noise is in the steps and in the sizes of the arms."""
    steps, arms = (
        [found.standard_error for found in counts if isinstance(found, Noisy)]
        for counts in (
            [step.patients for step in result.cohort.attrition],
            [arm.patients for arm in result.arms],
        )
    )
    said = [
        f"{max(errors):.1f} or less {where}"
        for errors, where in ((steps, "in a step"), (arms, "in an arm"))
        if errors
    ]
    return f"of standard error {' and '.join(said)}"


def asked(report: Report, _study: Study) -> Markup:
    """How many sites are in the network, on line, could hold such a patient, and answered."""
    network = report.result.network
    steps = [
        (f"{network.organisations:,}", "in the network"),
        (f"{network.online:,}", "on line"),
        (f"{network.eligible:,}", "could hold such a patient, by what they say they hold"),
        (f"{network.asked:,}", "asked"),
        (f"{network.answered:,}", "answered; their counts are in the sums"),
    ]
    if network.with_matches is not None:
        steps.append((f"{network.with_matches:,}", "hold a patient of the cohort"))
    return join([facts(steps, "numbers"), _left_out(network), _lost(network)])


def _left_out(network: NetworkResult) -> Markup:
    if not network.not_eligible:
        return NOTHING
    rows = [
        [sentence(reason).removesuffix("."), f"{sites:,}"]
        for ground in network.not_eligible
        for reason, sites in sorted(ground.reasons.items(), key=lambda item: (-item[1], item[0]))
    ]
    total = sum(ground.sites for ground in network.not_eligible)
    columns = [Column("Reason"), Column("Hospitals")]
    return join(
        [
            element("h3", f"The {plural(total, 'hospital')} that {_was(total)} not asked"),
            table(columns, rows, "Hospitals that were not asked, by reason"),
        ]
    )


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _lost(network: NetworkResult) -> Markup:
    if not network.failed:
        return paragraph("Everyone who was asked answered.")
    lost = [join([element("strong", loss.site), f": {loss.reason}"]) for loss in network.failed]
    return join([element("h3", "Asked, but no answer"), listed(lost)])


def _chosen(release: ReleaseResult) -> str:
    """How much noise was chosen, if any."""
    noise = release.noise
    if noise is None:
        return ""
    kind = {"laplace": "discrete Laplace", "skellam": "Skellam"}.get(noise.mechanism, "")
    return f", with an epsilon of {noise.epsilon} for the run, by {kind} noise"


def released(report: Report, _study: Study) -> Markup:
    """What the release hides, what it does not, and how many patients stand alone in a cell."""
    release, disclosure = report.result.release, report.result.disclosure
    where = {"network": "the sums over all hospitals", "site": "each hospital's own counts"}
    return join(
        [
            paragraph(
                f"These numbers were let out under the rule {release.name} (version "
                f"{release.version}), applied to {where.get(release.place, release.place)}"
                f"{_chosen(release)}."
            ),
            listed([sentence(said) for said in release.says]),
            paragraph(
                element("strong", sentence(disclosure.says)),
                " Whoever knows such a patient can learn from the table when that patient's "
                "record ended, and how."
                if disclosure.alone_in_a_cell
                else "",
            ),
        ]
    )
