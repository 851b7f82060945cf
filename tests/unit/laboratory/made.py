"""Rows of a comparison that never ran, to say things about."""

from __future__ import annotations

from simulator.aggregates.released import Partial, Released
from simulator.laboratory.compare_held import held_count
from simulator.laboratory.compare_values import (
    ArmOfTruth,
    Compared,
    CompareReport,
    CompareRun,
    Cost,
    Group,
    Held,
    HeldArm,
    HeldRatio,
    OnScale,
    RatioOfTruth,
    Row,
    Truth,
)

TRUTH = Truth(
    patients=100,
    sites=40,
    half_hold=2,
    arms=(ArmOfTruth("one", 60), ArmOfTruth("two", 40)),
    by_month=OnScale((0.5, 0.4), 0.25, (RatioOfTruth("two", "one", 1.5),)),
    by_day=OnScale((0.51, 0.39), 0.2, (RatioOfTruth("two", "one", 1.6),)),
)


def row(
    release: str,
    place: str,
    shown: Released | None,
    survival: tuple[Held, ...] = (),
    group: Group = Group.BARE,
    refused: str = "",
) -> Row:
    """A row that shows a cohort, and survival of the two arms if any."""
    return Row(
        release=release,
        place=place,
        group=group,
        epsilon="",
        unit="month",
        by_chance=False,
        repeats=1,
        shown=shown,
        total=None if shown is None else held_count(shown, TRUTH.patients),
        arms=tuple(
            HeldArm(arm.arm, arm.patients, held_count(arm.patients, arm.patients), held)
            for arm, held in zip(TRUTH.arms, survival, strict=False)
        ),
        log_rank_p=0.125 if survival else None,
        log_rank_naive_p=None,
        hazard_ratios=(HeldRatio("two", "one", 3.0, 1.5),) if survival else (),
        alone=0.5 if survival else None,
        withheld_sites=shown.withheld_parts if isinstance(shown, Partial) else 0,
        withheld_cells=7,
        reasons=(),
        refused=refused,
    )


def near(error: float = 0.0) -> tuple[Held, ...]:
    """Survival of both arms that is so far off."""
    return (Held(0.5, 0.5 + error, error), Held(0.4, 0.4, 0.0))


ROWS = (
    row("secure-sum", "network", 100, near(0.0625), Group.OURS),
    row("round-up-10", "site", 400, near()),
    row("round-up-10", "network", 110, near(0.25)),
    row("suppress-10", "site", Partial(30, 35, 65, 345)),
    row("suppress-10", "network", 100, refused="an arm has nobody"),
)


def report(rows: tuple[Row, ...] = ROWS, lesson: tuple[str, ...] = ("it is so.",)) -> CompareReport:
    """A comparison of rows."""
    result = Compared(
        study="a-study",
        version=1,
        title="A study of <nobody>",
        network="nowhere",
        built={},
        months=36,
        seed=3,
        truth=TRUTH,
        lesson=lesson,
        rows=rows,
        notes=("everyone is invented",),
    )
    costs = tuple(Cost(one.release, one.place, one.epsilon, 1000, 2000, 0.5) for one in rows)
    return CompareReport(1, result, CompareRun("2026-01-01T00:00:00+00:00", 3.0, 1.0, costs))
