"""Explains why two results differ, and says no more than what was recorded allows."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from simulator.hub.quantities import Quantity, compare
from simulator.hub.recorded import Recorded
from simulator.hub.terms import (
    DATA,
    LABORATORY,
    RELEASE,
    ROSTER,
    SEED,
    STUDY,
    WORDS_ONLY,
    Term,
    drawn_anew,
    lost_in_one,
    terms_of,
    typed,
)
from simulator.language.fingerprints import ARMS, CODES, INDEX, OUTCOME


class Kind(StrEnum):
    """What can be concluded."""

    SAME = "same"
    NO_EFFECT = "no effect"
    ONE_TERM = "one term"
    SEVERAL_TERMS = "several terms"
    CHANCE = "chance"
    DEFECT = "defect"


class Side(msgspec.Struct, frozen=True):
    """One of the two results."""

    path: str
    study: str
    fingerprint: str
    started: str


class Conclusion(msgspec.Struct, frozen=True):
    """What follows.

    Attributes:
        kind: In a word.
        says: In a sentence or two.
        causes: The terms that differ and can change numbers by themselves.
        follow: The terms that differ because a cause does.
        next: What to run, in order, to know more.
    """

    kind: Kind
    says: str
    causes: tuple[str, ...]
    follow: tuple[str, ...]
    next: tuple[str, ...]


class Differences(msgspec.Struct, frozen=True):
    """Two results held side by side.

    Attributes:
        schema: The version of this form.
        first: Where the first result stands.
        second: Where the second stands.
        terms: Everything that went into them.
        compared: How many numbers either of them has.
        numbers: Those that differ.
        conclusion: What follows.
    """

    schema: int
    first: Side
    second: Side
    terms: tuple[Term, ...]
    compared: int
    numbers: tuple[Quantity, ...]
    conclusion: Conclusion


_DEFECT: Final = (
    "Nothing that was recorded differs, but {numbers} all the same: this is a defect of "
    "cohortium, unless the databases were changed after they were built (the network's fingerprint "
    "is of its file, not of its rows)."
)


_CHANCE: Final = (
    "Nothing that was recorded differs, but {numbers}: the release '{release}' draws its noise "
    "anew for each run, so two runs of one question differ by chance alone."
)


_DECIDE_WHO_IS_ASKED: Final = frozenset(
    {DATA, RELEASE, LABORATORY, *(f"{STUDY}{part}" for part in (CODES, INDEX, ARMS, OUTCOME))}
)
_BUT_WORDS: Final = ", but for the study's name, version or title"


def explain(first: Recorded, second: Recorded) -> Differences:
    """What went into two results, which numbers differ, and what can be concluded."""
    terms = terms_of(first, second)
    found = compare(first.numbers, second.numbers)
    return Differences(
        schema=1,
        first=_side(first),
        second=_side(second),
        terms=terms,
        compared=found.numbers,
        numbers=found.differing,
        conclusion=_conclude(first, second, terms, found.differing),
    )


def _side(one: Recorded) -> Side:
    return Side(one.path, one.study, one.fingerprint, one.started)


def _conclude(
    first: Recorded, second: Recorded, terms: tuple[Term, ...], numbers: tuple[Quantity, ...]
) -> Conclusion:
    differ = [term.term for term in terms if not term.same and term.term != WORDS_ONLY]
    follow = _that_follow(first, second, differ)
    causes = tuple(term for term in differ if term not in follow)
    because = _because(causes, follow)
    told = _count(len(numbers), "number")
    differs = f"{told} {'differs' if len(numbers) == 1 else 'differ'}"
    if not numbers:
        kind = Kind.NO_EFFECT if causes else Kind.SAME
        words = not all(term.same for term in terms)
        says = (
            f"What went in is the same{_BUT_WORDS if words else ''}; so is every released number."
        )
        if causes:
            says = f"Every released number is the same: {because} made no difference to any."
        return Conclusion(kind, says, causes, follow, ())
    if not causes and drawn_anew(first):
        says = _CHANCE.format(numbers=differs, release=first.release.get("name"))
        return Conclusion(Kind.CHANCE, says, causes, follow, ())
    if not causes:
        again = (f"cohortium verify {second.study} --network {second.network.name}",)
        return Conclusion(Kind.DEFECT, _DEFECT.format(numbers=differs), causes, follow, again)
    if len(causes) == 1:
        says = (
            f"Only one term that was recorded differs: all of the difference, in {told}, is due to "
            f"{because}."
        )
        return Conclusion(
            Kind.ONE_TERM,
            says + _by_noise(first, second) + _shown_by_differencing(first, second, causes),
            causes,
            follow,
            (),
        )
    says = (
        f"{len(causes)} terms differ ({because}): from these two results alone nobody can say how "
        f"much of the difference, in {told}, is due to which.{_by_noise(first, second)}"
    )
    return Conclusion(Kind.SEVERAL_TERMS, says, causes, follow, _apart(first, second, causes))


def _that_follow(first: Recorded, second: Recorded, differ: list[str]) -> tuple[str, ...]:
    """The terms that are as they are because of others.

    Who is asked follows from the network, the study and the release, unless sites were lost; that
    the laboratory was opened, from the release.
    """
    found = []
    decided = not _DECIDE_WHO_IS_ASKED.isdisjoint(differ)
    if ROSTER in differ and decided and not lost_in_one(first, second):
        found.append(ROSTER)
    if LABORATORY in differ and RELEASE in differ:
        found.append(LABORATORY)
    return tuple(found)


def _because(causes: tuple[str, ...], follow: tuple[str, ...]) -> str:
    told = ", ".join(_called(cause) for cause in causes)
    also = " and ".join(follow)
    if not follow:
        return told
    verb = "differs" if len(follow) == 1 else "differ"
    if len(causes) == 1:
        return f"{told} ({also} {verb} because of it)"
    return f"{told}; {also} {verb} because of them"


def _called(term: str) -> str:
    return f"the study's {term.removeprefix(STUDY)}" if term.startswith(STUDY) else term


def _by_noise(first: Recorded, second: Recorded) -> str:
    """That some of a difference is noise, where one of two results has noise in it."""
    noisy = [word for word, one in (("first", first), ("second", second)) if drawn_anew(one)]
    if not noisy:
        return ""
    which = "both results" if len(noisy) > 1 else f"the {noisy[0]} result"
    return f" In {which} there is noise, drawn anew for each run: some of it is chance alone."


def _shown_by_differencing(first: Recorded, second: Recorded, causes: tuple[str, ...]) -> str:
    """That two exact sums over rosters that differ by a few show what those few hold."""
    apart = set(first.network.roster) ^ set(second.network.roster)
    if causes != (ROSTER,) or not apart:
        return ""
    return (
        f" What differs is what {_count(len(apart), 'site')} "
        f"{'holds' if len(apart) == 1 else 'hold'}: two runs show what one would hide."
    )


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _apart(first: Recorded, second: Recorded, causes: tuple[str, ...]) -> tuple[str, ...]:
    """Runs that lead from the first result to the second, each with one term more of the second."""
    ordered = sorted(causes, key=_rank)
    steps = [
        f"{'As the first, but' if place == 0 else 'As before, and'} {_do(cause, first, second)}"
        for place, cause in enumerate(ordered[:-1])
    ]
    return (
        *steps,
        "`cohortium diff` each of these and the one before it. What is left between the last and "
        f"the second result is due to {_called(ordered[-1])}. In another order the shares may "
        "differ, as terms can act on each other.",
    )


def _rank(cause: str) -> int:
    """What is easiest to change alone comes first: an option, a network, then a study's text."""
    if cause in {RELEASE, LABORATORY, SEED}:
        return 0
    if cause == DATA:
        return 1
    return 2 if cause.startswith(STUDY) else 3


def _do(cause: str, first: Recorded, second: Recorded) -> str:
    """What to do so that one term is the second result's."""
    if cause == RELEASE:
        return f"with the second's release: {typed(second)}"
    if cause == LABORATORY:
        return "under the second's policies"
    if cause == SEED:
        return "with the second's seed"
    if cause == DATA:
        return f"on the second's network: --network {second.network.name} (as it was built then)"
    if cause == ROSTER:
        return "with the second's sites: on a copy of the network's file that lists only those"
    if cause.startswith(STUDY):
        part = cause.removeprefix(STUDY)
        return f"in a copy of study '{first.study}', the second's {part} in place of the first's"
    return f"with {cause} {second.versions.get(cause)}"
