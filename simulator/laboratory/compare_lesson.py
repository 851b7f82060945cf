"""Says in a few sentences what a comparison of releases shows, from the numbers that it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulator.aggregates.released import Partial
from simulator.laboratory.compare_values import Group, Held, Row, Truth, parts

Pair = tuple[Row, Row]
"""The same rule at each site, and once on the sum; both let a cohort out."""


def lesson(truth: Truth, rows: Sequence[Row], months: int | None) -> tuple[str, ...]:
    """What place does to the cohort, what rules do to survival, and what a bare sum does.

    Nothing is said of which the rows have no example.

    Args:
        truth: What the rows of all sites say.
        rows: Each release at each place.
        months: The landmark at which survival is compared.
    """
    pairs = pairs_of(rows)
    said = [_where(truth), *_examples(truth, pairs), *_how_many(pairs)]
    if months is not None:
        said += _survival(rows, months)
        said += _untested(rows)
        said += _summed(rows, months)
    return tuple(said)


def pairs_of(rows: Sequence[Row]) -> list[Pair]:
    """Each rule that let a cohort out at both places."""
    told = {(row.release, row.place): row for row in rows if row.total is not None}
    return [
        (row, told[row.release, "network"])
        for row in told.values()
        if row.place == "site" and (row.release, "network") in told
    ]


def _where(truth: Truth) -> str:
    sites = f"{truth.sites:,} site{'' if truth.sites == 1 else 's'}"
    half = f", half of which hold {truth.half_hold:,} or fewer" if truth.sites > 1 else ""
    return f"{truth.patients:,} patients are at {sites}{half}."


def _examples(truth: Truth, pairs: Sequence[Pair]) -> list[str]:
    """The plainest rule that shows another number, and the plainest that withholds, if they do."""
    changed = _plainest(pairs, lambda row: _off(row.total) if not parts(row.shown) else None)
    withheld = _plainest(pairs, lambda row: _missing(truth, row))
    at_sites = [_changed(changed[0])] if changed else []
    at_sites += [_withheld(withheld[0])] if withheld else []
    if not at_sites:
        return []
    found = [pair[1] for pair in (changed, withheld) if pair]
    on_sums = " and ".join(f"{_number(row)} ({row.release})" for row in found)
    same = "the same rule gives" if len(found) == 1 else "the same rules give"
    return [f"Done at each site, {' and '.join(at_sites)}; done once on the sum, {same} {on_sums}."]


def _plainest(pairs: Sequence[Pair], harm: Callable[[Row], float | None]) -> Pair | None:
    """The pair whose rule does most harm at the sites, and more than on the sum; bare ones first.

    `harm` is None for a rule that is no example.
    """
    found = [
        (pair[0].group is Group.BARE, done, -place, pair)
        for place, pair in enumerate(pairs)
        if (done := harm(pair[0])) and _farthest(pair[0]) > _farthest(pair[1])
    ]
    return max(found, key=lambda one: one[:3])[3] if found else None


def _off(held: Held | None) -> float | None:
    """How far a number is off as a rule; None where there is none."""
    return None if held is None else held.distance


def _missing(truth: Truth, row: Row) -> float | None:
    """How many patients fewer are shown, where parts were withheld and bounded."""
    shown = row.shown
    if not isinstance(shown, Partial) or shown.at_most is None:
        return None
    return float(max(truth.patients - shown.shown, 0))


def _farthest(row: Row) -> float:
    return row.total.farthest if row.total is not None else 0.0


def _changed(row: Row) -> str:
    return f"the rule {row.release} makes {_number(row)} of them"


def _withheld(row: Row) -> str:
    """What is shown, and between what the whole lies: of a sum with gaps there is no number."""
    shown = row.shown
    if not isinstance(shown, Partial):
        raise TypeError(f"a sum of which parts were withheld was expected; got {shown}")
    return (
        f"the rule {row.release} shows {shown.shown:,}, withholds what {shown.withheld_parts:,} "
        f"sites hold, and leaves anything between {shown.at_least:,} and {shown.at_most:,}"
    )


def _number(row: Row) -> str:
    held = row.total
    if held is None or held.estimate is None:
        return "no number"
    return f"{held.estimate:,.0f}"


def _how_many(pairs: Sequence[Pair]) -> list[str]:
    """Of how many rules the place matters."""
    if len(pairs) < 2:
        return []
    worse = sum(_farthest(site) > _farthest(network) for site, network in pairs)
    best = [_off(network.total) for _, network in pairs]
    known = [error for error in best if error is not None]
    most = f", where they are off by {max(known):,.0f} at most" if len(known) == len(pairs) else ""
    which = "All" if worse == len(pairs) else f"{worse}" if worse else "None"
    return [
        f"{which} of {len(pairs)} rules that were tried in both places can leave their reader "
        f"farther from the truth at the sites than on the sum{most}."
    ]


def _survival(rows: Sequence[Row], months: int) -> list[str]:
    """What rules that are done to each cell leave of survival, on the sum; arm by arm."""
    ruled = [row for row in rows if row.group is not Group.OURS and row.place == "network"]
    if not ruled:
        return []
    told = [[_off(arm.survival) for arm in row.arms if arm.survival is not None] for row in ruled]
    errors = [error for arms in told for error in arms if error is not None]
    without = sum(all(error is None for error in arms) for arms in told)
    some = [arms for arms in told if any(error is not None for error in arms) and None in arms]
    said = []
    if without:
        number = f"no number for survival at {months} months in any arm"
        said.append(f"{without} of {len(ruled)} leave {number}")
    if some:
        gaps, arms = sum(one.count(None) for one in some), sum(map(len, some))
        said.append(f"{len(some)} of {len(ruled)} leave none in {gaps} of their {arms} arms")
    if errors:
        which = f"for survival at {months} months" if not said else "that are left"
        said.append(f"the numbers {which} are off by up to {100 * max(errors):.0f} points")
    return [
        "Survival is made of cells (arm by month by how it ended) that are small even on the sum: "
        f"of the rules done there, {_and(said)}."
    ]


def _and(said: Sequence[str]) -> str:
    """Parts of a sentence in a row."""
    *others, last = said
    return f"{', '.join(others)}, and {last}" if others else last


def _untested(rows: Sequence[Row]) -> list[str]:
    """How many releases tell survival of arms, and nothing of whether these differ."""
    told = [
        row
        for row in rows
        if len(row.arms) > 1 and any(_off(arm.survival) is not None for arm in row.arms)
    ]
    without = sum(row.log_rank_p is None and not row.hazard_ratios for row in told)
    if not without:
        return []
    return [
        f"{without} of the {len(told)} releases and places that let curves out give no p value and "
        "no hazard ratio with them."
    ]


def _summed(rows: Sequence[Row], months: int) -> list[str]:
    """What the sum is worth under the default release, which changes no cell of it."""
    row = next((row for row in rows if row.release == "secure-sum"), None)
    if row is None:
        return []
    patients, alive = _off(row.total), _off(row.worst_survival)
    if patients is None or alive is None:
        return []
    return [
        f"The masked sum as secure-sum lets it out is off by {patients:,.0f} patients, and by "
        f"{100 * alive:.1f} points of survival at {months} months."
    ]
