"""The plan of a run: which sites are asked and why the others are not, the rounds, the needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from simulator.aggregates.grid import Unit
from simulator.errors import CohortiumError, Refused, TooFewAnswers, UserError
from simulator.hub.analyses.released import Analysis
from simulator.hub.auditing import Rule as DifferencesRule
from simulator.hub.eligibility import Ground, Verdict, cannot_hold
from simulator.hub.foreseeing import differences_rule, foreseen, unit_of
from simulator.hub.result import LeftOut
from simulator.language.codes import Code
from simulator.language.study import Inquiry, Question, Study
from simulator.messages.catalogue import ROUNDED, Described, Knowledge
from simulator.messages.needs import Need
from simulator.privacy.releases import Release


@dataclass(frozen=True)
class Candidate:
    """A site of the network as the planner knows it.

    Attributes:
        site: Its name.
        described: Its catalogue, or None where it did not send one.
        lost: Why it sent none; empty where it did.
        refused: Whether its policy is why.
    """

    site: str
    described: Described | None
    lost: str = ""
    refused: bool = False


Rule = Callable[[Question, Candidate], Verdict | None]
Begin = Callable[[Unit], tuple[Analysis, ...]]
"""Makes the analyses of a run on a unit of time, ready to start; called anew at each start."""


def _is_on_line(_question: Question, site: Candidate) -> Verdict | None:
    return Verdict(Ground.OFF_LINE, "off line") if site.lost == "off line" else None


def _has_a_catalogue(_question: Question, site: Candidate) -> Verdict | None:
    if site.described is not None:
        return None
    return Verdict(Ground.NO_CATALOGUE, f"no catalogue: {site.lost}")


def _may_hold_patients(question: Question, site: Candidate) -> Verdict | None:
    return None if site.described is None else cannot_hold(question, site.described)


RULES: tuple[Rule, ...] = (_is_on_line, _has_a_catalogue, _may_hold_patients)


@dataclass(frozen=True)
class Plan:
    """What a run will do, known before any site is asked about patients.

    Attributes:
        inquiry: The study or cohort.
        question: What the sites are asked about it.
        release: The release that its numbers will stand under.
        starts: Makes its analyses on a unit of time.
        unit: The unit of time that is asked for: the finest that release and policies let out.
        differences: What is to happen where a difference to earlier answers is small.
        foreseen: Which of the asked sites will refuse, by what they tell of their policies.
        candidates: Every site of the network, in its order.
        roster: The sites that are asked, in the network's order.
        left_out: Why each of the others is not.
        unknown: For each code that some but not all asked sites know, how many do not.
        needs: What each round asks for.
    """

    inquiry: Inquiry
    question: Question
    release: Release
    starts: Begin
    unit: Unit
    differences: DifferencesRule
    foreseen: Mapping[str, str]
    candidates: tuple[Candidate, ...]
    roster: tuple[str, ...]
    left_out: Mapping[str, Verdict]
    unknown: Mapping[Code, int]
    needs: tuple[frozenset[Need], ...]

    def begin(self) -> tuple[Analysis, ...]:
        """The analyses, ready to start."""
        return self.starts(self.unit)

    @property
    def online(self) -> int:
        """How many sites are on line."""
        return sum(verdict.ground is not Ground.OFF_LINE for verdict in self._verdicts())

    @property
    def persons(self) -> int:
        """How many persons the asked sites hold at most, by their catalogues."""
        return sum(self.persons_at(site) for site in self.roster)

    @property
    def least_sites(self) -> int:
        """The most sites that any asked site wants in a sum, by what it tells of its policy."""
        told = [
            one.described.policy.least_roster
            for one in self.candidates
            if one.site in self.roster and one.described and one.described.policy
        ]
        return max(told, default=1)

    def persons_at(self, site: str) -> int:
        """How many persons a site holds at most: its catalogue rounds down."""
        found = next(one.described for one in self.candidates if one.site == site)
        return 0 if found is None else found.catalogue.persons + ROUNDED - 1

    def _verdicts(self) -> Iterable[Verdict]:
        on_line = Verdict(Ground.DOMAIN, "")
        return (self.left_out.get(site.site, on_line) for site in self.candidates)

    def grounds(self) -> tuple[LeftOut, ...]:
        """The sites left out, by ground, with their reasons."""
        return tuple(
            LeftOut(str(ground), sum(reasons.values()), dict(sorted(reasons.items())))
            for ground in Ground
            if (
                reasons := Counter(
                    verdict.reason for verdict in self.left_out.values() if verdict.ground is ground
                )
            )
        )


def make_plan(
    inquiry: Inquiry,
    release: Release,
    candidates: Iterable[Candidate],
    begin: Begin | None = None,
    *,
    question: Question | None = None,
) -> Plan:
    """Applies every rule to every site.

    Args:
        inquiry: The study or cohort.
        release: The release that its numbers will stand under.
        candidates: Every site of the network, in its order.
        begin: Makes the analyses; those that the study names where none are given.
        question: What is asked about it; its own question where none is given.

    Raises:
        UserError: No site that could be asked knows one of the question's codes.
        TooFewAnswers: No site is eligible.
        Refused: No site lets anything out.
    """
    sites, asked = tuple(candidates), question or inquiry.question
    left_out: dict[str, Verdict] = {}
    for site in sites:
        verdict = next((found for rule in RULES if (found := rule(asked, site))), None)
        if verdict is not None:
            left_out[site.site] = verdict
    roster = tuple(site.site for site in sites if site.site not in left_out)
    kept = [site.described for site in sites if site.described and site.site not in left_out]
    if not roster:
        raise _nobody(asked, sites, left_out)
    unknown = _unknown(asked, kept)
    nowhere = [code for code, number in unknown.items() if number == len(kept)]
    if nowhere:
        raise UserError(
            f"no eligible site knows the code '{nowhere[0]}'",
            hint="Correct it or take it out; `cohortium check` lists what the bundled codes lack.",
        )
    starts = begin or _named(inquiry, release)
    told = {site.catalogue.site: site.policy for site in kept if site.policy is not None}
    unit = unit_of(release, told.values())
    refusing = {
        site: why
        for site, terms in told.items()
        if (why := foreseen(release, unit, len(roster), terms)) is not None
    }
    needs = frozenset[Need]().union(*(next(part) for part in starts(unit)))
    return Plan(
        inquiry,
        asked,
        release,
        starts,
        unit,
        differences_rule(told.values()),
        refusing,
        sites,
        roster,
        left_out,
        unknown,
        (needs,),
    )


def _named(inquiry: Inquiry, release: Release) -> Begin:
    """The analyses that a study names; of a cohort, the funnel alone."""
    # The analyses of a study take long to import; a count does without them.
    from simulator.hub.analyses.funnel import steps
    from simulator.hub.analyses.of_study import analyses_of

    if isinstance(inquiry, Study):
        return lambda unit: analyses_of(inquiry, release, unit)
    return lambda _unit: (steps(),)


def _unknown(question: Question, kept: Iterable[Described]) -> dict[Code, int]:
    """For each code of the question, how many sites do not know it, where any does not."""
    places = [(codes.name, codes.include) for codes in question.codes]
    missing: Counter[Code] = Counter()
    for site in kept:
        known = {codes.name: codes.entries for codes in site.codes}
        for name, include in places:
            for code, entry in zip(include, known[name], strict=True):
                missing[code] += entry is not Knowledge.FOUND
    return {code: number for code, number in missing.items() if number}


def _nobody(
    question: Question, sites: tuple[Candidate, ...], left_out: Mapping[str, Verdict]
) -> CohortiumError:
    """The error where no site is eligible: the user's if no site knows a concept set at all."""
    described = [site.described for site in sites if site.described is not None]
    for codes in question.codes:
        if described and not any(site.knows(codes.name) for site in described):
            return UserError(
                f"no site knows any code of '{codes.name}'",
                hint="Correct them; `cohortium check` lists codes that the bundled list lacks.",
            )
    reasons = Counter(verdict.reason for verdict in left_out.values())
    if not described and any(site.refused for site in sites):
        told = "; ".join(f"{number} {reason}" for reason, number in reasons.most_common())
        return Refused(
            f"none of the {len(sites)} sites lets anything out: {told}",
            hint="Give each site a policy that can be read.",
        )
    told = "; ".join(f"{number} {reason}" for reason, number in reasons.most_common())
    return TooFewAnswers(
        f"none of the {len(sites)} sites is eligible: {told}",
        hint="Widen the dates, the codes or what every patient must have.",
    )
