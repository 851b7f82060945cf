"""Days from the index to the outcome or to the end of watching, patient by patient."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from simulator.language.criteria import Domain
from simulator.language.study import Censoring
from simulator.truth.rows import Rows, never_before


def with_outcome(
    indexed: pl.DataFrame,
    rows: Rows,
    censored_at: Censoring,
    outcome: pl.Series | None,
    exits: Sequence[pl.Series],
) -> pl.DataFrame:
    """Adds days (>= 0) and event to rows of person_id and index_date, in their order.

    Watching ends with the observation period that holds the index (the latest end, should several
    hold it), or with the last recorded fact; without a period it ends at the index, without an
    event. It ends earlier with the first exit, and with death where another outcome is waited for.
    An outcome by then is the event. A death that a careless record puts before the index happens on
    day 0.

    Args:
        indexed: One row a patient.
        rows: The site's rows.
        censored_at: When a patient without the outcome stops being watched.
        outcome: The first outcome of each patient; None where it is death.
        exits: For each kind of exit, the first of each patient.
    """
    deaths = rows.events(Domain.DEATH, None).rename({"date": "death"})
    known = indexed.join(deaths, on="person_id", how="left", maintain_order="left")
    if rows.death_by_month:
        known = known.with_columns(death=never_before(pl.col("death"), pl.col("index_date")))
    if censored_at is Censoring.LAST_FACT:
        seen = known.join(rows.last_seen(), on="person_id", how="left", maintain_order="left")
        known = seen.with_columns(end=pl.max_horizontal("seen", "death")).drop("seen")
    else:
        ends = _ends(indexed, rows.periods)
        known = known.join(ends, on="person_id", how="left", maintain_order="left")
    left = pl.DataFrame([found.alias(f"exit {n}") for n, found in enumerate(exits)])
    gone = left.min_horizontal() if exits else pl.Series([None] * known.height, dtype=pl.Date)
    known = known.with_columns(gone=gone)
    days_end = pl.col("death") if outcome is None else pl.Series("outcome", outcome)
    return _followed(known.with_columns(happened=days_end), rows, dies=outcome is None)


def _followed(known: pl.DataFrame, rows: Rows, *, dies: bool) -> pl.DataFrame:
    """Days and event from the dates happened, end, gone and death."""
    happened, end, gone, death = (pl.col(name) for name in ("happened", "end", "gone", "death"))
    in_time = pl.lit(value=True)
    if dies:
        # Of a death only the month is believed, so it may lie in the month in which watching ends.
        in_time &= happened <= (end.dt.month_end() if rows.death_by_month else end)
        last = pl.min_horizontal(end, gone)
    else:
        dead = death.dt.month_end() if rows.death_by_month else death
        in_time &= (happened <= end) & ((happened <= dead) | dead.is_null())
        last = pl.min_horizontal(end, gone, death)
    in_time &= (happened <= gone) | gone.is_null()
    event = in_time.fill_null(value=False)
    stop = pl.when(event).then(happened).when(end.is_not_null()).then(last)
    days = (stop - pl.col("index_date")).dt.total_days().fill_null(0).clip(0)
    return known.with_columns(days=days, event=event).drop("end", "death", "gone", "happened")


def _ends(indexed: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    holding = indexed.select("person_id", "index_date").join(periods, on="person_id")
    inside = pl.col("index_date").is_between("start", "end")
    return holding.filter(inside).group_by("person_id").agg(pl.col("end").max())
