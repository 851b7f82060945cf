"""The hub's outer role: what an analyst, a report or an attack holds; it sees released values."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

from simulator.hub.analyses.comparison import Comparison
from simulator.hub.analyses.funnel import Funnel
from simulator.hub.analyses.subgroups import Subgroups
from simulator.hub.planner import Candidate, Plan, make_plan
from simulator.hub.result import (
    CohortResult,
    Disclosure,
    FrozenResult,
    LostSite,
    NetworkResult,
    ReleaseResult,
    Report,
    RunRecord,
    StudyResult,
)
from simulator.hub.run import Finished, Traffic, carry_out
from simulator.hub.wire import Failure, Wire
from simulator.language.fingerprints import PARTS, definition, parts
from simulator.language.lint import lint
from simulator.language.study import Study
from simulator.messages.codec import MalformedMessage, decode_answer, encode
from simulator.messages.needs import NO_ARM
from simulator.messages.requests import CatalogueAnswer, CatalogueRequest, Refusal, roster_hash
from simulator.privacy.releases import Release

_NOT_MASKED = (
    "secure aggregation not yet in force: the aggregator saw each site's answer in the clear"
)
_CONDITIONED = (
    "this network was drawn until it shows the reported figures; its p-values, intervals and "
    "power mean nothing beyond it"
)


@dataclass(frozen=True)
class Settings:
    """What a client knows of its network besides the wire.

    Attributes:
        network: The network's name.
        sites: The names of all its sites, in the network's order.
        conditioned: Whether its data were drawn until they showed a given result.
        laboratory: Whether the sites' policies were replaced by the laboratory's.
        engine: What carries the messages.
        fingerprints: What identifies the network's data.
        built: What the network's databases were built from.
    """

    network: str
    sites: tuple[str, ...]
    conditioned: bool
    laboratory: bool
    engine: str
    fingerprints: Mapping[str, str]
    built: Mapping[str, str] = field(default_factory=dict)


class Client:
    """Asks studies of a network.

    Args:
        wire: The way to the sites.
        settings: What is known of the network.
        seconds: The deadline of each exchange.
        clock: The time in UTC.
    """

    def __init__(
        self,
        wire: Wire,
        settings: Settings,
        *,
        seconds: float,
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._wire = wire
        self._settings = settings
        self._seconds = seconds
        self._clock = clock

    def plan(self, study: Study, release: Release, traffic: Traffic | None = None) -> Plan:
        """What a run of a study would do.

        Raises:
            UserError: No site knows one of the study's codes.
            TooFewAnswers: No site is eligible.
        """
        return make_plan(study, release, self._survey(study, traffic or Traffic()))

    def run(
        self,
        study: Study,
        release: Release,
        *,
        run: str,
        frozen: FrozenResult | None = None,
        progress: Callable[[str, int], None] = lambda _site, _of: None,
    ) -> Report:
        """Runs a study.

        Args:
            study: The study.
            release: The release that its numbers stand under.
            run: The run's identifier.
            frozen: Whether the study is what was frozen, for the result to say.
            progress: Is called with each site that has answered and the number asked.

        Raises:
            UserError: The study does not fit the network.
            Refused: The release or the policies say no.
            TooFewAnswers: Too few sites answered.
        """
        started = self._clock()
        traffic = Traffic()
        plan = self.plan(study, release, traffic)
        finished = carry_out(
            plan,
            self._wire,
            run=run,
            seconds=self._seconds,
            traffic=traffic,
            progress=lambda site: progress(site, len(plan.roster)),
        )
        result = _result(plan, finished, self._settings, frozen)
        record = RunRecord(
            run=run,
            engine=self._settings.engine,
            started=started.isoformat(timespec="seconds"),
            seconds=round((self._clock() - started).total_seconds(), 3),
            attempts=finished.attempts,
            rounds=len(finished.opened),
            bytes_sent=traffic.sent,
            bytes_received=traffic.received,
            versions={name: version(name) for name in ("cohortium", "duckdb", "numpy")},
            host={"python": platform.python_version(), "machine": platform.machine()},
            result_fingerprint=result.fingerprint,
        )
        return Report(1, result, record)

    def _survey(self, study: Study, traffic: Traffic) -> tuple[Candidate, ...]:
        """The catalogue of every site, or why there is none."""
        request = encode(CatalogueRequest(study.question.codes))
        sites = self._settings.sites
        traffic.sent += len(request) * len(sites)
        found: dict[str, Candidate] = {}
        for reply in self._wire.exchange(dict.fromkeys(sites, request), self._seconds):
            if isinstance(reply, Failure):
                found[reply.site] = Candidate(reply.site, None, str(reply.lost))
                continue
            traffic.received += len(reply.data)
            found[reply.site] = _candidate(reply.data, reply.site, study)
        silent = "no answer"
        return tuple(found.get(site, Candidate(site, None, silent)) for site in sites)


def _candidate(data: bytes, site: str, study: Study) -> Candidate:
    """A site with its catalogue, or with why there is none."""
    misfit = Candidate(site, None, "its answer does not fit")
    try:
        answer = decode_answer(data)
    except MalformedMessage:
        return misfit
    if isinstance(answer, Refusal):
        return Candidate(site, None, answer.reason, refused=True)
    if not isinstance(answer, CatalogueAnswer) or answer.described.catalogue.site != site:
        return misfit
    asked = [(codes.name, len(codes.include)) for codes in study.question.codes]
    told = [(known.name, len(known.entries)) for known in answer.described.codes]
    return Candidate(site, answer.described) if asked == told else misfit


def _result(
    plan: Plan, finished: Finished, settings: Settings, frozen: FrozenResult | None
) -> StudyResult:
    funnel = next(part for part in finished.parts if isinstance(part, Funnel))
    comparison = next(part for part in finished.parts if isinstance(part, Comparison))
    study, release = plan.study, plan.release
    return StudyResult(
        study=study.name,
        version=study.version,
        title=study.title,
        estimand=(
            "time from index to recorded death among all patients of the cohort, by the arm "
            f"recorded at index, up to {study.question.follow_up.months} months; unadjusted"
        ),
        network=NetworkResult(
            name=settings.network,
            organisations=len(settings.sites),
            online=plan.online,
            eligible=len(plan.roster),
            asked=len(plan.roster),
            answered=len(finished.roster),
            not_eligible=plan.grounds(),
            failed=tuple(LostSite(loss.site, loss.reason) for loss in finished.lost),
            with_matches=finished.opened[0].sites_with_matches,
            roster=finished.roster,
            built=dict(settings.built),
        ),
        cohort=CohortResult(funnel.patients, funnel.steps),
        arms=comparison.arms,
        log_rank=comparison.log_rank,
        hazard_ratios=comparison.hazard_ratios,
        release=_release(release, settings),
        disclosure=_disclosure(plan, finished),
        notes=_notes(plan, finished, funnel, settings),
        fingerprints={
            "study": study.fingerprint,
            **{f"study: {part}": parts(study)[part] for part in PARTS},
            "roster": roster_hash(finished.roster),
            **settings.fingerprints,
        },
        definition=definition(study),
        frozen=frozen,
        rmst_differences=comparison.rmst_differences,
        survival_differences=comparison.survival_differences,
        subgroups=next(
            (part.variables for part in finished.parts if isinstance(part, Subgroups)), ()
        ),
    )


def _disclosure(plan: Plan, finished: Finished) -> Disclosure:
    alone = max(opened.alone_in_a_cell for opened in finished.opened)
    level = " x level" if plan.study.question.subgroups else ""
    time = "day" if plan.release.by_day else "month"
    return Disclosure(
        alone,
        f"{alone:.0%} of the patients are alone in a released cell (arm{level} x {time} x died or "
        "censored)",
    )


def _release(release: Release, settings: Settings) -> ReleaseResult:
    by_day = "Kaplan-Meier on days; log-rank and Cox (Efron) on days"
    by_month = (
        "by month: curve on the actuarial risk set n - c/2; log-rank and Cox (Efron) on the full "
        "risk set"
    )
    return ReleaseResult(
        name=release.name,
        version=release.version,
        place=str(release.place),
        threshold=release.threshold,
        estimators=by_day if release.by_day else by_month,
        says=release.says,
        secure_aggregation=False,
        laboratory=settings.laboratory,
    )


def _notes(plan: Plan, finished: Finished, funnel: Funnel, settings: Settings) -> tuple[str, ...]:
    notes = []
    if settings.laboratory:
        notes.append("laboratory: the sites' own policies were not asked")
    if plan.release.masked:
        notes.append(_NOT_MASKED)
    if settings.conditioned:
        notes.append(_CONDITIONED)
    if finished.lost:
        names = ", ".join(loss.site for loss in finished.lost)
        notes.append(
            f"started anew without {names}: the sums before and after differ by "
            f"{'that site' if len(finished.lost) == 1 else 'those sites'}"
        )
    if plan.unknown:
        most = max(plan.unknown.values())
        notes.append(
            f"{len(plan.unknown)} of the study's codes are unknown at some of the "
            f"{len(plan.roster)} sites (at most {most}): their facts cannot be found there"
        )
    unassigned = funnel.assignment.counts[funnel.assignment.labels.index(NO_ARM)]
    if unassigned != 0:
        number = str(unassigned) if isinstance(unassigned, int) else "some"
        notes.append(f"{number} patients pass every step and are in no arm")
    notes += [str(finding) for finding in lint(plan.study)]
    return tuple(notes)
