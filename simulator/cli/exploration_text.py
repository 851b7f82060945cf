"""Prints what describes a cohort for a person who reads it at a glance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
from rich.console import Console

from simulator.aggregates.released import Noisy, Released, Withheld
from simulator.cli.as_json import as_json
from simulator.cli.count_text import print_head, print_notes
from simulator.cli.exploration_csv import as_csv
from simulator.cli.layout import bar, console, heading, indented, number, print_rows, size
from simulator.cli.noise_text import release_said

if TYPE_CHECKING:
    from simulator.hub.analyses.descriptions import (
        Arrival,
        CalendarYear,
        CodeList,
        Demographics,
        FollowUpFound,
        Lab,
        Part,
        Pathways,
    )
    from simulator.hub.analyses.results import Interval
    from simulator.hub.exploration import ExplorationReport, ExplorationResult

_BAR: Final = 20
_UNIT: Final = 12
_PLURAL: Final = {"condition": "diagnoses", "procedure": "procedures", "drug": "drugs"}


def print_exploration(report: ExplorationReport, form: str) -> None:
    """Prints an exploration on stdout as ``text``, ``json`` or ``csv``."""
    if form == "text":
        _result(console(), report.result)
        return
    click.echo(as_json(report) if form == "json" else as_csv(report.result), nl=False)


def _result(screen: Console, result: ExplorationResult) -> None:
    words = (
        f"{result.name}, version {result.version} | network {result.network.name} | "
        f"release {release_said(result.release)}"
    )
    print_head(screen, result.title, words, result.network)
    heading(screen, "cohort")
    print_rows(screen, [(number(step.patients), step.step) for step in result.attrition], "rl")
    if result.attrition[-1].patients == 0:
        screen.print()
        indented(screen, "Nobody passes every step, so there is nobody to describe.")
    else:
        for part, prints in _prints(result.outcome).items():
            found = getattr(result.described, part)
            if found is not None:
                prints(screen, found)
    counts = {
        "steps of the cohort": [step.patients for step in result.attrition],
        "what describes it": list(_counts(result.described)),
    }
    print_notes(screen, result.release, result.notes, counts)
    screen.print(f"result {result.fingerprint[:16]}", style="dim")


def _counts(value: object) -> Iterator[Released]:
    """Every released count under a value."""
    if isinstance(value, Released):
        yield value
    elif isinstance(value, tuple):
        for member in value:
            yield from _counts(member)
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from _counts(getattr(value, field))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _parts(screen: Console, parts: Sequence[Part]) -> None:
    most = max((size(part.patients) for part in parts), default=0)
    kept = [part for part in parts if part.patients != 0]
    shares = any(part.share is not None for part in kept)
    rows = [
        (
            part.label,
            number(part.patients),
            *([_percent(part.share)] if shares else []),
            bar(size(part.patients), most, _BAR),
        )
        for part in kept
    ]
    print_rows(screen, rows, "lrrl" if shares else "lrl")


def _demographics(screen: Console, found: Demographics) -> None:
    heading(screen, "age at index, by sex")
    ages = [part for part in found.ages if part.patients != 0]
    sexes = [part for part in found.sexes if part.patients != 0]
    cells = {(one.sex, one.age): one.patients for one in found.sexes_and_ages}
    most = max((size(part.patients) for part in ages), default=0)
    rows = [
        (
            age.label,
            *(number(cells[sex.label, age.label]) for sex in sexes),
            number(age.patients),
            "" if age.share is None and isinstance(age.patients, Noisy) else _percent(age.share),
            bar(size(age.patients), most, _BAR),
        )
        for age in ages
    ]
    totals = [number(sex.patients) for sex in sexes]
    rows.append(("all", *totals, number(found.everyone), "", ""))
    names = ["", *(sex.label for sex in sexes), "all", "", ""]
    print_rows(screen, rows, "l" + "r" * (len(sexes) + 2) + "l", names)
    heading(screen, "race")
    _parts(screen, found.races)
    heading(screen, "year of index")
    _parts(screen, found.years)


def _codes(screen: Console, found: CodeList) -> None:
    heading(screen, f"{_PLURAL[found.domain]} at or before index")
    most = max((size(line.patients) for line in found.top), default=0)
    print_rows(
        screen,
        [
            (
                line.code,
                number(line.patients),
                _percent(line.share),
                bar(size(line.patients), most, _BAR // 2),
                line.description,
            )
            for line in found.top
        ],
        "lrrlw",
    )
    indented(
        screen,
        f"{len(found.top)} of {found.listed} codes asked for; {found.withheld} withheld",
        style="dim",
    )


def _bounds(low: float | None, high: float | None) -> str:
    if low is None:
        return "-" if high is None else f"below {high:g}"
    return f"{low:g} or more" if high is None else f"{low:g}-{high:g}"


def _labs(screen: Console, labs: Sequence[Lab]) -> None:
    heading(screen, "latest value in the year before index")
    rows = []
    for lab in labs:
        if all(one.patients == 0 for one in lab.bins):
            continue
        most = max(size(one.patients) for one in lab.bins)
        drawn = "".join(_height(one.patients, most) for one in lab.bins)
        median = half = "-"
        if lab.quantiles:
            lower, middle, upper = lab.quantiles
            median = _bounds(middle.at_least, middle.below)
            half = _bounds(lower.at_least, upper.below)
        unit = lab.unit if len(lab.unit) <= _UNIT else f"{lab.unit[: _UNIT - 1]}…"
        rows.append((lab.description, drawn, median, half, unit))
    print_rows(screen, rows, "elrrl", ("", "bins", "median", "middle half", ""))
    indented(screen, "bins from low to high: · nobody, ? withheld", style="dim")


def _height(count: Released, most: int) -> str:
    """One character for a bin: an eighth to the whole of the greatest."""
    if not isinstance(count, int):
        return "?"
    return "▁▂▃▄▅▆▇█"[max(0, round(8 * count / most) - 1)] if count else "·"


def _calendar(screen: Console, years: Sequence[CalendarYear]) -> None:
    heading(screen, "incidence and prevalence by year")
    rows = [
        (
            str(year.year),
            number(year.observed),
            number(year.new),
            "withheld"
            if isinstance(year.person_years_at_risk, Withheld)
            else f"{year.person_years_at_risk:,.0f}",
            _interval(year.incidence, 2),
            number(year.in_the_cohort),
            "-" if year.prevalence is None else f"{1000 * year.prevalence:.2f}",
        )
        for year in years
    ]
    names = ("", "observed", "new", "person-years", "per 1,000 (95 %)", "have it", "per 1,000")
    print_rows(screen, rows, "lrrrrrr", names)


def _interval(found: Interval | None, digits: int) -> str:
    if found is None or found.estimate is None:
        return "-"
    low, high = (
        "" if bound is None else f"{bound:.{digits}f}" for bound in (found.lower, found.upper)
    )
    return f"{found.estimate:.{digits}f} ({low}-{high})"


def _arrival(screen: Console, found: Arrival) -> None:
    heading(screen, "new patients by quarter")
    most = max((size(one.patients) for one in found.quarters), default=0)
    print_rows(
        screen,
        [
            (one.quarter, number(one.patients), bar(size(one.patients), most, _BAR))
            for one in found.quarters
        ],
        "lrl",
    )
    if found.projection:
        rows = [
            (one.quarter, _interval(one.by_mean, 1), _interval(one.by_trend, 1))
            for one in found.projection
        ]
        screen.print()
        print_rows(screen, rows, "lrr", ("coming", "by mean (95 %)", "by trend (95 %)"))
    indented(screen, f"projection: {found.basis}", style="dim")


def _follow_up(screen: Console, found: FollowUpFound | Withheld, outcome: str) -> None:
    heading(screen, "follow-up")
    if isinstance(found, Withheld):
        indented(screen, "withheld")
        return
    indented(
        screen,
        f"median {_interval(found.median_months, 1)} months, by reverse Kaplan-Meier",
    )
    ended = [size(one.with_outcome) + size(one.without) for one in found.years]
    longer = size(found.watched_longer)
    most = max((*ended, longer))
    rows = [
        (one.year, number(one.with_outcome), number(one.without), bar(left, most, _BAR))
        for one, left in zip(found.years, ended, strict=True)
        if (one.with_outcome, one.without) != (0, 0)
    ]
    ends = ("died", "left") if outcome == "death" else ("with outcome", "without")
    rows.append(("watched longer", "", number(found.watched_longer), bar(longer, most, _BAR)))
    print_rows(screen, rows, "lrrl", ("ended in months", *ends, ""))


def _pathways(screen: Console, found: Pathways) -> None:
    heading(screen, "first treatments from the index on, in order")
    most = size(found.everyone)
    rows = [
        (
            "  " * (len(path.steps) - 1) + path.steps[-1],
            number(path.patients),
            _percent(path.share),
            bar(size(path.patients), most, _BAR),
        )
        for path in found.paths
    ]
    print_rows(screen, rows, "lrrl")


def _prints(outcome: str) -> dict[str, Callable[[Console, Any], None]]:
    """What prints each part, in their order."""
    return {
        "demographics": _demographics,
        "conditions": _codes,
        "procedures": _codes,
        "drugs": _codes,
        "labs": _labs,
        "calendar": _calendar,
        "arrival": _arrival,
        "follow_up": partial(_follow_up, outcome=outcome),
        "pathways": _pathways,
    }
