"""The hub's outer role: what an analyst, a report or an attack holds; it sees released values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from simulator.hub.analyses.counting import Unit, counting
from simulator.hub.counting import ANALYSES_OF, CountReport, count_result, counts_of
from simulator.hub.exchanging import Traffic
from simulator.hub.offered import check_offered
from simulator.hub.past import Past
from simulator.hub.planner import Begin, Candidate, Plan, make_plan
from simulator.hub.result import FrozenResult, Report, RunRecord
from simulator.hub.run import Finished, carry_out
from simulator.hub.telling import Settings, record_of
from simulator.hub.wire import Failure, Wire
from simulator.language.study import Inquiry, Question, Study
from simulator.messages.codec import MalformedMessage, decode_answer, encode
from simulator.messages.requests import Apology, CatalogueAnswer, CatalogueRequest, Refusal
from simulator.privacy.release import Release
from simulator.privacy.sources import ByteSource, system_source

if TYPE_CHECKING:
    from simulator.hub.exploration import ExplorationReport, Show

__all__ = ["Client", "Progress", "Settings"]

Progress = Callable[[str, int], None]
"""Is called with each site that has answered, and the number of sites asked."""


def _silent(_site: str, _of: int) -> None:
    """No progress is shown."""


class Client:
    """Asks studies and cohorts of a network.

    Args:
        wire: The way to the sites.
        settings: What is known of the network.
        seconds: The deadline of each exchange.
        clock: The time in UTC.
        close: Ends what the wire has started, such as processes; may be called twice.
        source: Where the hub's own chance comes from.
        past: What the aggregator knows of earlier runs; None: nothing.
        strays: Tells of the answers that came too late or twice and were not used.
    """

    def __init__(
        self,
        wire: Wire,
        settings: Settings,
        *,
        seconds: float,
        clock: Callable[[], dt.datetime],
        close: Callable[[], None] = lambda: None,
        source: ByteSource = system_source,
        past: Past | None = None,
        strays: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._wire = wire
        self._settings = settings
        self._seconds = seconds
        self._clock = clock
        self._source = source
        self._strays = strays
        self._past = past or Past(clock=clock)
        self.close = close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def plan(
        self,
        inquiry: Inquiry,
        release: Release,
        traffic: Traffic | None = None,
        begin: Begin | None = None,
        *,
        question: Question | None = None,
    ) -> Plan:
        """What a run would do.

        Args:
            inquiry: The study or cohort.
            release: The release that its numbers would stand under.
            traffic: Is added to.
            begin: Makes the analyses; those that the study names where none are given.
            question: What is asked about it; its own question where none is given.

        Raises:
            UserError: No site knows one of the question's codes.
            TooFewAnswers: No site is eligible.
        """
        asked = question or inquiry.question
        candidates = self._survey(asked, traffic or Traffic())
        return make_plan(inquiry, release, candidates, begin, question=asked)

    def run(
        self,
        study: Study,
        release: Release,
        *,
        run: str,
        frozen: FrozenResult | None = None,
        progress: Progress = _silent,
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
        # It stands on all the statistics of a comparison, which a count does without.
        from simulator.hub.of_study import study_result

        started, traffic = self._clock(), Traffic()
        plan = self.plan(study, release, traffic)
        finished = self._carry_out(plan, run, traffic, progress)
        result = study_result(study, plan, finished, self._settings, frozen)
        return Report(1, result, self._record(finished, traffic, run, started, result.fingerprint))

    def count(
        self,
        inquiry: Inquiry,
        release: Release,
        unit: Unit = Unit.PATIENT,
        *,
        run: str,
        progress: Progress = _silent,
    ) -> CountReport:
        """Counts what each step of a study or cohort leaves.

        Args:
            inquiry: The study or cohort.
            release: The release that its numbers stand under.
            unit: What is counted: patients; or the days or events that may be the index, each with
                the steps asked around its day, and their patients.
            run: The run's identifier.
            progress: Is called with each site that has answered and the number asked.

        Raises:
            UserError: The question does not fit the network.
            Refused: The release or the policies say no.
            TooFewAnswers: Too few sites answered.
        """
        check_offered([counts_of(unit)], ANALYSES_OF, release)
        started, traffic = self._clock(), Traffic()
        plan = self.plan(inquiry, release, traffic, lambda _bin: (counting(unit),))
        finished = self._carry_out(plan, run, traffic, progress)
        result = count_result(unit, plan, finished, self._settings)
        return CountReport(
            1, result, self._record(finished, traffic, run, started, result.fingerprint)
        )

    def explore(
        self,
        inquiry: Inquiry,
        release: Release,
        show: Sequence[Show],
        *,
        run: str,
        top: int = 10,
        progress: Progress = _silent,
    ) -> ExplorationReport:
        """Describes all patients who pass every step of a study or cohort.

        Args:
            inquiry: The study or cohort; of a study the arms play no part.
            release: The release that its numbers stand under.
            show: What is looked at.
            run: The run's identifier.
            top: How many codes are shown.
            progress: Is called with each site that has answered and the number asked.

        Raises:
            UserError: The question does not fit the network, or has no kinds of treatment.
            Refused: The release or the policies say no.
            TooFewAnswers: Too few sites answered.
        """
        from simulator.hub import exploration

        started, traffic, shown = self._clock(), Traffic(), tuple(show)
        question = exploration.without_arms(inquiry.question)
        exploration.check(inquiry, question, shown, release)
        sites = self._survey(question, traffic)
        span = exploration.span_of(question, sites)
        begin = exploration.begin_exploring(question, release, shown, span, top)
        plan = make_plan(inquiry, release, sites, begin, question=question)
        finished = self._carry_out(plan, run, traffic, progress)
        result = exploration.exploration_result(shown, span, plan, finished, self._settings)
        record = self._record(finished, traffic, run, started, result.fingerprint)
        return exploration.ExplorationReport(1, result, record)

    def _carry_out(self, plan: Plan, run: str, traffic: Traffic, progress: Progress) -> Finished:
        return carry_out(
            plan,
            self._wire,
            run=run,
            seconds=self._seconds,
            traffic=traffic,
            source=self._source,
            past=self._past,
            progress=lambda site: progress(site, len(plan.roster)),
        )

    def _record(
        self, finished: Finished, traffic: Traffic, run: str, started: dt.datetime, result: str
    ) -> RunRecord:
        strays = tuple(self._strays())
        finished = replace(finished, warnings=tuple(dict.fromkeys((*finished.warnings, *strays))))
        return record_of(
            finished,
            traffic,
            self._settings,
            run=run,
            started=started,
            ended=self._clock(),
            fingerprint=result,
        )

    def _survey(self, question: Question, traffic: Traffic) -> tuple[Candidate, ...]:
        """The catalogue of every site, or why there is none."""
        request = encode(CatalogueRequest(question.codes))
        sites = self._settings.sites
        traffic.sent += len(request) * len(sites)
        found: dict[str, Candidate] = {}
        for reply in self._wire.exchange(dict.fromkeys(sites, request), self._seconds):
            if isinstance(reply, Failure):
                found[reply.site] = Candidate(reply.site, None, str(reply.lost))
                continue
            traffic.received += len(reply.data)
            found[reply.site] = _candidate(reply.data, reply.site, question)
        silent = "no answer"
        return tuple(found.get(site, Candidate(site, None, silent)) for site in sites)


def _candidate(data: bytes, site: str, question: Question) -> Candidate:
    """A site with its catalogue, or with why there is none."""
    misfit = Candidate(site, None, "its answer does not fit")
    try:
        answer = decode_answer(data)
    except MalformedMessage:
        return misfit
    if isinstance(answer, Refusal):
        return Candidate(site, None, answer.reason, refused=True)
    if isinstance(answer, Apology):
        return Candidate(site, None, str(answer.trouble))
    if not isinstance(answer, CatalogueAnswer) or answer.described.catalogue.site != site:
        return misfit
    asked = [(codes.name, len(codes.include)) for codes in question.codes]
    told = [(known.name, len(known.entries)) for known in answer.described.codes]
    return Candidate(site, answer.described) if asked == told else misfit
