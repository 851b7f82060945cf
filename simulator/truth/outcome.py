"""Days from the index to death or to the end of observation, patient by patient."""

from __future__ import annotations

import polars as pl

from simulator.language.criteria import Domain
from simulator.truth.rows import Rows, never_before


def with_outcome(indexed: pl.DataFrame, rows: Rows) -> pl.DataFrame:
    """Adds days (>= 0) and event to rows of person_id and index_date, in their order.

    Follow-up ends with the observation period that holds the index (the latest end, should several
    hold it); without one it ends at the index, without an event. A death by that end is the event,
    also one that a careless record puts before the index: it then happens on day 0.
    """
    ends = _ends(indexed, rows.periods)
    deaths = rows.events(Domain.DEATH, None).rename({"date": "death"})
    known = indexed.join(ends, on="person_id", how="left", maintain_order="left").join(
        deaths, on="person_id", how="left", maintain_order="left"
    )
    latest = pl.col("end")
    if rows.death_by_month:
        known = known.with_columns(death=never_before(pl.col("death"), pl.col("index_date")))
        latest = latest.dt.month_end()
    event = (pl.col("death") <= latest).fill_null(value=False)
    last = pl.when(event).then("death").otherwise(pl.col("end").fill_null(pl.col("index_date")))
    days = (last - pl.col("index_date")).dt.total_days().clip(0)
    return known.with_columns(days=days, event=event).drop("end", "death")


def _ends(indexed: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    holding = indexed.select("person_id", "index_date").join(periods, on="person_id")
    inside = pl.col("index_date").is_between("start", "end")
    return holding.filter(inside).group_by("person_id").agg(pl.col("end").max())
