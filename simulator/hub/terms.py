"""What went into two results, term by term, and what of it differs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from simulator.hub.recorded import Recorded, RecordedNetwork
from simulator.language.fingerprints import CODES, PARTS, TITLE
from simulator.privacy.releases import RELEASES
from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rule import Repeats

DATA: Final = "data"
ROSTER: Final = "roster"
RELEASE: Final = "release"
LABORATORY: Final = "laboratory"
SEED: Final = "seed"
STUDY: Final = "study: "
WORDS_ONLY: Final = f"{STUDY}{TITLE}"
_ABSENT: Final = "-"
_FILLERS: Final = frozenset({"cohort", "steps", "arms", "require", "members"})
# Of a release, what is said about it, and what is a term of its own.
NOISE: Final = "noise"
_NOT_THE_RULE: Final = frozenset(
    {"says", "estimators", "secure_aggregation", "laboratory", SEED, NOISE}
)


class Term(msgspec.Struct, frozen=True):
    """One thing that goes into a result.

    Attributes:
        term: Such as ``data``, ``roster``, ``release``, ``study: codes`` or ``duckdb``.
        same: Whether it is the same in both.
        first: The first result's, in short.
        second: The second's.
        details: What exactly differs, in sentences.
    """

    term: str
    same: bool
    first: str
    second: str
    details: tuple[str, ...] = ()


def terms_of(first: Recorded, second: Recorded) -> tuple[Term, ...]:
    """Every term of two results."""
    return (
        _data(first, second),
        _roster(first, second),
        _release(first, second),
        _plain(LABORATORY, *(_yes(one.release.get("laboratory")) for one in (first, second))),
        *_seed(first, second),
        *(_part(part, first, second) for part in PARTS),
        *_versions(first, second),
    )


def _plain(term: str, first: str, second: str) -> Term:
    return Term(term, first == second, first, second)


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _data(first: Recorded, second: Recorded) -> Term:
    """The network's file: what its databases were built from, and its list of organisations."""
    one, other = first.network, second.network
    marks = [each.fingerprints.get("network", _ABSENT) for each in (first, second)]
    details: list[str] = []
    if marks[0] != marks[1]:
        details = [
            f"{key}: {one.built.get(key, _ABSENT)} -> {other.built.get(key, _ABSENT)}"
            for key in dict.fromkeys([*one.built, *other.built])
            if one.built.get(key) != other.built.get(key)
        ]
        if one.organisations != other.organisations:
            details.append(f"organisations: {one.organisations} -> {other.organisations}")
        details = details or ["built alike, but its list of organisations differs"]
    shown = [f"{net.name} {mark[:8]}" for net, mark in zip((one, other), marks, strict=True)]
    return Term(DATA, marks[0] == marks[1], shown[0], shown[1], tuple(details))


def _roster(first: Recorded, second: Recorded) -> Term:
    one, other = first.network, second.network
    details = (*_gone(one, other, "first", "second"), *_gone(other, one, "second", "first"))
    shown = [f"{net.answered} of {net.asked} asked" for net in (one, other)]
    same = one.roster == other.roster
    if not same and not details:
        details = ("the same sites in another order",)
    return Term(ROSTER, same, shown[0], shown[1], details)


def _gone(here: RecordedNetwork, there: RecordedNetwork, word: str, other: str) -> Iterator[str]:
    """The sites that only one of two rosters has, and why the other has them not, if it says so."""
    absent = sorted(set(here.roster) - set(there.roster))
    lost = {loss.site: loss.reason for loss in there.failed}
    unasked = [site for site in absent if site not in lost]
    if unasked:
        yield f"only in the {word}, not asked in the {other}: {', '.join(unasked)}"
    for site in absent:
        if site in lost:
            yield f"only in the {word}, asked and lost in the {other}: {site} ({lost[site]})"


def lost_in_one(first: Recorded, second: Recorded) -> bool:
    """Whether a site answered in one run and was asked and lost in the other."""
    pairs = ((first.network, second.network), (second.network, first.network))
    return any(loss.site in here.roster for here, there in pairs for loss in there.failed)


def drawn_anew(one: Recorded) -> bool:
    """Whether a result has noise in it that no seed fixes, so that a second run has other noise."""
    if one.seed is not None or one.release.get(SEED) is not None:
        return False
    known = RELEASES.get(str(one.release.get("name")))
    rule = RULES.get(known.rule) if known is not None and known.rule else None
    return bool(one.release.get(NOISE)) or (rule is not None and rule.repeats is Repeats.FRESH)


def typed(one: Recorded) -> str:
    """What is typed for the release of a result."""
    name, noise = str(one.release.get("name")), one.release.get(NOISE) or {}
    known = RELEASES.get(name)
    words = [f"--release {name}"]
    if known is not None and one.release.get("place") not in {None, str(known.place)}:
        words.append(f"--at {one.release['place']}")
    if noise:
        words.append(f"--epsilon {noise.get('epsilon')} --noise {noise.get('mechanism')}")
    return " ".join(words)


def _release(first: Recorded, second: Recorded) -> Term:
    """The rule with its parameters; those of noise each by itself."""
    one, other = (
        {
            **{key: said for key, said in each.release.items() if key not in _NOT_THE_RULE},
            **(each.release.get(NOISE) or {}),
        }
        for each in (first, second)
    )
    details = [
        f"{key}: {one.get(key, _ABSENT)} -> {other.get(key, _ABSENT)}"
        for key in dict.fromkeys([*one, *other])
        if one.get(key) != other.get(key)
    ]
    shown = [
        f"{rule.get('name', _ABSENT)}, version {rule.get('version', _ABSENT)}"
        for rule in (one, other)
    ]
    return Term(RELEASE, one == other, shown[0], shown[1], tuple(details))


def _seed(first: Recorded, second: Recorded) -> Iterator[Term]:
    """The seed of noise, where either result names one."""
    seeds = [each.release.get(SEED) if each.seed is None else each.seed for each in (first, second)]
    if seeds != [None, None]:
        yield _plain(SEED, *(_ABSENT if seed is None else str(seed) for seed in seeds))


def _part(part: str, first: Recorded, second: Recorded) -> Term:
    """A part of the study, with what it says differently."""
    key = f"{STUDY}{part}"
    marks = [each.fingerprints.get(key, _ABSENT) for each in (first, second)]
    details: tuple[str, ...] = ()
    if marks[0] != marks[1]:
        one, other = (each.definition.get(part, {}) for each in (first, second))
        find = _codes if part == CODES else _values
        details = tuple(find(one, other))
    return Term(key, marks[0] == marks[1], marks[0][:8], marks[1][:8], details)


def _codes(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    """Which codes came or went, set by set."""
    for name in dict.fromkeys([*one, *other]):
        if name not in one or name not in other:
            yield f"'{name}': only in the {'first' if name in one else 'second'}"
            continue
        for kind, word in (("include", ""), ("exclude", "excluded ")):
            here, there = (set(each[name].get(kind, ())) for each in (one, other))
            if here - there:
                yield f"'{name}': {word}only in the first: {', '.join(sorted(here - there))}"
            if there - here:
                yield f"'{name}': {word}only in the second: {', '.join(sorted(there - here))}"


def _values(one: object, other: object, path: str = "") -> Iterator[str]:
    """Where two plain values differ, and what stands there."""
    if one == other:
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            yield from _values(one.get(key), other.get(key), _below(path, str(key)))
    elif isinstance(one, list | None) and isinstance(other, list | None):
        yield from _members(one or [], other or [], path)
    else:
        yield f"{path}: {_short(one)} -> {_short(other)}"


def _members(one: list[Any], other: list[Any], path: str) -> Iterator[str]:
    """Members with names are held against those of the same name, others against their place."""
    here, there = (
        {_named(member, place): member for place, member in enumerate(found)}
        for found in (one, other)
    )
    for name in dict.fromkeys([*here, *there]):
        if name in here and name in there:
            yield from _values(here[name], there[name], _below(path, name))
        else:
            yield f"{_below(path, name)}: only in the {'first' if name in here else 'second'}"
    if set(here) == set(there) and list(here) != list(there):
        yield f"{path}: in another order".removeprefix(": ")


def _named(member: object, place: int) -> str:
    if isinstance(member, dict) and isinstance(member.get("name"), str):
        return f"'{member['name']}'"
    return str(place + 1)


def _below(path: str, key: str) -> str:
    """The way to a value below, without the words that are the same for every step and arm."""
    if key in _FILLERS:
        return path
    return f"{path}, {key}" if path else key


def _short(value: object) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def _versions(first: Recorded, second: Recorded) -> Iterator[Term]:
    """The programs that made the results, and the machine."""
    for name in dict.fromkeys([*first.versions, *second.versions]):
        yield _plain(name, first.versions.get(name, _ABSENT), second.versions.get(name, _ABSENT))
