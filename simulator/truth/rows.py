"""The rows of one site as polars frames, each table read whole and once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Final

import polars as pl

from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import Domain
from simulator.language.units import bundled_units
from simulator.language.values import is_plain
from simulator.site.store import Store

# Nothing but columns of a table: what is read here must not share a thought with the compiler.
_EVENTS: Final = {
    Domain.CONDITION: (
        "SELECT person_id, condition_start_date, condition_concept_id, condition_source_concept_id"
        " FROM condition_occurrence"
    ),
    Domain.PROCEDURE: (
        "SELECT person_id, procedure_date, procedure_concept_id, procedure_source_concept_id"
        " FROM procedure_occurrence"
    ),
    Domain.DRUG: (
        "SELECT person_id, drug_exposure_start_date, drug_concept_id, drug_source_concept_id"
        " FROM drug_exposure"
    ),
    Domain.MEASUREMENT: (
        "SELECT person_id, measurement_date, measurement_concept_id, measurement_source_concept_id,"
        " value_as_number, unit_concept_id FROM measurement"
    ),
    Domain.VISIT: (
        "SELECT person_id, visit_start_date, visit_concept_id, visit_source_concept_id"
        " FROM visit_occurrence"
    ),
    Domain.DEATH: "SELECT person_id, death_date FROM death",
}
_PERSONS: Final = "SELECT person_id, year_of_birth, gender_concept_id FROM person"
_PERIODS: Final = (
    "SELECT person_id, observation_period_start_date, observation_period_end_date"
    " FROM observation_period"
)
_CONCEPTS: Final = "SELECT vocabulary_id, concept_code, concept_id FROM concept"
_ANCESTORS: Final = "SELECT ancestor_concept_id, descendant_concept_id FROM concept_ancestor"
_MID_MONTH: Final = 15  # the day that stands for a month of which no day is known


class Rows:
    """What one site has recorded.

    Args:
        store: The site's database.
        death_by_month: Whether of a death only the month may be believed. Its day is then 15.
    """

    def __init__(self, store: Store, *, death_by_month: bool) -> None:
        self._store = store
        self.death_by_month = death_by_month
        self._read: dict[Domain, pl.DataFrame] = {}

    def events(self, domain: Domain, codes: ConceptSet | None) -> pl.DataFrame:
        """The dated events of a kind: person_id, date; one row for each record, one for a death."""
        return self._coded(domain, codes).select("person_id", "date")

    def values(self, codes: ConceptSet, unit: str) -> pl.DataFrame:
        """The dated measurements of a concept set: person_id, date, value in a unit.

        The value is null where none is recorded or its unit cannot be turned into that unit. A unit
        that is not recorded is a plain number.
        """
        members = set(self.resolve(codes))
        rows = self._coded(Domain.MEASUREMENT, codes)
        pairs = rows.select("concept", "source", "unit").unique()
        factors = [
            next(
                (
                    factor
                    for found in (concept, source)
                    if found in members and (factor := self._factor(found, given, unit)) is not None
                ),
                None,
            )
            for concept, source, given in pairs.rows()
        ]
        known = pairs.with_columns(factor=pl.Series(factors, dtype=pl.Float64))
        joined = rows.join(
            known,
            on=["concept", "source", "unit"],
            nulls_equal=True,
            how="left",
            maintain_order="left",
        )
        value = pl.col("value") * pl.col("factor")
        return joined.select("person_id", "date", value=pl.when(value.is_finite()).then(value))

    def last_seen(self) -> pl.DataFrame:
        """The last day with any fact, deaths aside: person_id, seen."""
        found = [
            self._events(domain).select("person_id", "date")
            for domain in Domain
            if domain is not Domain.DEATH
        ]
        return pl.concat(found).group_by("person_id").agg(seen=pl.col("date").max())

    def _coded(self, domain: Domain, codes: ConceptSet | None) -> pl.DataFrame:
        rows = self._events(domain)
        if codes is None:
            return rows
        ids = self.resolve(codes)
        return rows.filter(pl.col("concept").is_in(ids) | pl.col("source").is_in(ids))

    def _factor(self, concept: int, given: int | None, wanted: str) -> float | None:
        """What a value of a measurement in a unit is multiplied by to be in the wanted one."""
        vocabulary, code = self._names.get(concept, ("", ""))
        if not given:
            return 1.0 if is_plain(wanted) else None
        unit_vocabulary, unit = self._names.get(given, ("", ""))
        if unit_vocabulary != "UCUM":
            return None
        loinc = code if vocabulary == "LOINC" else None
        return bundled_units().factor(loinc, unit, wanted)

    def resolve(self, codes: ConceptSet) -> list[int]:
        """The concept ids that a set stands for at this site; none for a code it does not know."""
        found = self._concepts(codes.include) - self._concepts(codes.exclude)
        return sorted(found - {0})  # 0 is how the model writes that there is no concept

    @cached_property
    def persons(self) -> pl.DataFrame:
        """Everyone once: person_id, year_of_birth, gender."""
        return self._table(_PERSONS, ("person_id", "year_of_birth", "gender"))

    @cached_property
    def periods(self) -> pl.DataFrame:
        """The spans in which people were watched: person_id, start, end."""
        return self._table(_PERIODS, ("person_id", "start", "end")).with_columns(
            pl.col("start", "end").cast(pl.Date)
        )

    def _events(self, domain: Domain) -> pl.DataFrame:
        if domain not in self._read:
            coded = () if domain is Domain.DEATH else ("concept", "source")
            measured = ("value", "unit") if domain is Domain.MEASUREMENT else ()
            rows = self._table(_EVENTS[domain], ("person_id", "date", *coded, *measured))
            if measured:
                rows = rows.with_columns(pl.col("value").cast(pl.Float64))
            rows = rows.with_columns(pl.col("date").cast(pl.Date)).drop_nulls("date")
            self._read[domain] = self._deaths(rows) if domain is Domain.DEATH else rows
        return self._read[domain]

    def _deaths(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One death a person, however often it is recorded: the earliest."""
        once = rows.group_by("person_id").agg(pl.col("date").min())
        return once.with_columns(date=mid_month(pl.col("date"))) if self.death_by_month else once

    def _concepts(self, codes: Iterable[Code]) -> set[int]:
        found: set[int] = set()
        for code in codes:
            own = self._own_concepts.get((code.vocabulary, code.code), set())
            found |= own
            if code.descendants:
                below = self._ancestors.filter(pl.col("ancestor").is_in(sorted(own)))
                found |= set(below["descendant"])
        return found

    @cached_property
    def _own_concepts(self) -> dict[tuple[str, str], set[int]]:
        found: dict[tuple[str, str], set[int]] = {}
        for vocabulary, code, concept in self._table(
            _CONCEPTS, ("vocabulary", "code", "id")
        ).rows():
            found.setdefault((vocabulary, code), set()).add(concept)
        return found

    @cached_property
    def _names(self) -> dict[int, tuple[str, str]]:
        rows = self._table(_CONCEPTS, ("vocabulary", "code", "id")).rows()
        return {concept: (vocabulary, code) for vocabulary, code, concept in rows}

    @cached_property
    def _ancestors(self) -> pl.DataFrame:
        return self._table(_ANCESTORS, ("ancestor", "descendant"))

    def _table(self, sql: str, names: tuple[str, ...]) -> pl.DataFrame:
        frame = pl.DataFrame(self._store.arrow(sql))
        frame.columns = list(names)
        return frame


def mid_month(date: pl.Expr) -> pl.Expr:
    """The middle of a date's month."""
    return pl.date(date.dt.year(), date.dt.month(), _MID_MONTH)


def never_before(date: pl.Expr, anchor: pl.Expr) -> pl.Expr:
    """A date known by month, as it is compared with an anchor.

    Where the middle of the month lies before an anchor of the same month, it is the anchor: who was
    seen on the 20th did not die on the 15th.
    """
    same_month = mid_month(date) == mid_month(anchor)
    return pl.when(same_month & (date < anchor)).then(anchor).otherwise(date)
