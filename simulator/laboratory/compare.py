"""Runs one study under many releases and holds each against the truth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.errors import Refused
from simulator.hub.client import Client
from simulator.hub.result import RunRecord
from simulator.laboratory.compare_choice import by_chance
from simulator.laboratory.compare_lesson import lesson
from simulator.laboratory.compare_rows import Ran, row_of
from simulator.laboratory.compare_truth import nearest_landmark, truth_of, without_subgroups
from simulator.laboratory.compare_values import (
    Compared,
    CompareReport,
    CompareRun,
    Cost,
    Row,
    Truth,
)
from simulator.language.study import Study
from simulator.network import BuiltNetwork, connect
from simulator.privacy.release import Release
from simulator.truth.at_site import patients_at


@dataclass(frozen=True)
class Setting:
    """How runs are made.

    Attributes:
        jobs: How many sites work at once.
        seconds: The deadline of each exchange.
        clock: The time in UTC.
        timer: The time in seconds, from any start.
        run_name: What a run with a seed, or without one, is called.
        seed: From which all noise follows; None: from the system.
        repeats: How often releases that draw by chance are run, each time with other secrets; with
            a seed, under the seeds that follow it.
        progress: Is called with a site that is done, and how many are to be done in all.
    """

    jobs: int
    seconds: float
    clock: Callable[[], dt.datetime]
    timer: Callable[[], float]
    run_name: Callable[[int | None], str]
    seed: int | None = None
    repeats: int = 1
    progress: Callable[[str, int], None] = lambda _site, _of: None


def compare(
    study: Study, network: BuiltNetwork, releases: Sequence[Release], setting: Setting
) -> CompareReport:
    """Runs a study in the laboratory under each release, and looks at the truth once.

    Each run has a client of its own, so that no row depends on which others there are: under a seed
    it is what a run of its own with that release, place and seed would find.

    Raises:
        UserError: The study does not fit the network, or an arm has nobody.
        Refused: No release lets anything out.
        TooFewAnswers: No site is eligible, or too few answered.
    """
    started, begun = setting.clock(), setting.timer()
    asked, month = without_subgroups(study), nearest_landmark(study)
    with _client(network, setting, setting.seed) as client:
        roster = client.plan(asked, releases[0]).roster
    online = [member.site for member in network.members if member.online]
    steps = len(online) + len(roster) * sum(_repeats(release, setting) for release in releases)
    truth = _truth(asked, network, online, lambda site: setting.progress(site, steps))
    looked, rows, costs = setting.timer() - begun, list[Row](), list[Cost]()
    for release in releases:
        ran = [
            _run(asked, network, release, setting, repeat, steps)
            for repeat in range(_repeats(release, setting))
        ]
        rows.append(row_of(release, ran, truth, month))
        costs.append(_cost(rows[-1], ran[0].record))
    if all(row.total is None for row in rows):
        raise Refused(rows[0].refused, hint="Choose other --releases.")
    result = Compared(
        study=study.name,
        version=study.version,
        title=study.title,
        network=network.name,
        built=dict(network.built),
        months=month,
        seed=setting.seed,
        truth=truth,
        lesson=lesson(truth, rows, month),
        rows=tuple(rows),
        notes=_notes(study, network, rows, setting),
    )
    took = CompareRun(started.isoformat(), setting.timer() - begun, looked, tuple(costs))
    return CompareReport(1, result, took)


def _truth(
    study: Study, network: BuiltNetwork, online: Sequence[str], done: Callable[[str], None]
) -> Truth:
    """Looks at the rows of every site that is on line, also of those that are not asked."""
    frames = []
    for site in online:
        frames.append(patients_at(network.folder_of(site), study.question))
        done(site)
    return truth_of(study, frames)


def _client(network: BuiltNetwork, setting: Setting, seed: int | None) -> Client:
    return connect(
        network,
        laboratory=True,
        jobs=setting.jobs,
        seconds=setting.seconds,
        clock=setting.clock,
        seed=seed,
    )


def _repeats(release: Release, setting: Setting) -> int:
    return setting.repeats if by_chance(release) else 1


def _run(
    study: Study,
    network: BuiltNetwork,
    release: Release,
    setting: Setting,
    repeat: int,
    steps: int,
) -> Ran:
    """One run under one release; where survival is refused, the cohort is counted alone."""
    seed = None if setting.seed is None else setting.seed + repeat
    name = setting.run_name(seed)
    with _client(network, setting, seed) as client:
        try:
            report = client.run(
                study, release, run=name, progress=lambda site, _of: setting.progress(site, steps)
            )
        except Refused as refusal:
            refused = refusal.message
        else:
            return Ran(report.result.cohort.patients, report.result, report.run, "")
    # Another question under the name of this run would be refused: its sites remember.
    with _client(network, setting, seed) as client:
        try:
            counted = client.count(study, release, run=name)
        except Refused:
            return Ran(None, None, None, refused)
    return Ran(counted.result.steps[-1].patients, None, counted.run, refused)


def _cost(row: Row, record: RunRecord | None) -> Cost:
    named = (row.release, row.place, row.epsilon)
    if record is None:
        return Cost(*named, 0, 0, 0.0)
    return Cost(*named, record.bytes_sent, record.bytes_received, record.seconds)


def _notes(
    study: Study, network: BuiltNetwork, rows: Sequence[Row], setting: Setting
) -> tuple[str, ...]:
    """What else is to be known of a comparison."""
    said = ["laboratory: the truth is looked at, and no site's policy or budget is asked"]
    if study.question.subgroups:
        said.append("the study's subgroups are left out: some releases refuse them")
    if network.conditioned:
        said.append(
            "this network was drawn until it shows the reported figures; its p-values mean nothing "
            "beyond it"
        )
    if any(row.refused and row.total for row in rows):
        said.append("where survival is refused, the cohort is that of a count alone")
    if setting.seed is not None:
        said.append(f"not private: all noise follows from the seed {setting.seed}")
    drawn = tuple(dict.fromkeys(row.name for row in rows if row.by_chance))
    if drawn and setting.repeats == 1:
        said.append(
            f"one draw of the noise: {', '.join(drawn)}; another run may be nearer to the truth or "
            "farther from it, which --repeats shows"
        )
    elif drawn:
        said.append(
            f"releases that draw by chance were run {setting.repeats} times with other secrets: "
            "numbers are means, rms is the root of the mean squared error, and bias the mean "
            "error; p, ratios and the released cells are of the first run"
        )
    return tuple(said)
