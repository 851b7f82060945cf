"""The sections that pin a result down: the trial it stands for, fingerprints, versions."""

from __future__ import annotations

from simulator.hub.result import Report
from simulator.language.study import Study
from simulator.report.markup import Markup, element, join, paragraph
from simulator.report.tables import facts
from simulator.report.target_trial import target_trial
from simulator.report.words import plural, sentence


def trial(report: Report, study: Study) -> Markup:
    """The study as the trial that it stands for."""
    items = [(item, sentence(said)) for item, said in target_trial(study, report.result)]
    return facts(items)


def fingerprints(report: Report, _study: Study) -> Markup:
    """What must be the same for the same result, and what happened this time."""
    result, run = report.result, report.run
    same = [("result", run.result_fingerprint), *result.fingerprints.items()]
    this_time = [
        ("run", run.run),
        ("started", run.started),
        ("took", f"{run.seconds:.1f} seconds, {plural(run.rounds, 'round')}"),
        ("sent and received", f"{run.bytes_sent:,} and {run.bytes_received:,} bytes"),
        *((f"version of {name}", version) for name, version in run.versions.items()),
        *run.host.items(),
    ]
    parts = [
        paragraph(
            "The same fingerprints and the same version of cohortium give the same result, on any "
            "machine."
        ),
        facts(same, "facts small exact"),
        element("h3", "This run"),
        facts(this_time, "facts small"),
        element("h3", "Who answered"),
        paragraph(", ".join(result.network.roster) or "Nobody.", class_="small"),
    ]
    if result.network.built:
        built = list(result.network.built.items())
        parts += [
            element("h3", "What the network was built from"),
            facts(built, "facts small exact"),
        ]
    return join(parts)
