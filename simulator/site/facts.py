"""The facts that a question is about, as one list: SQL for the relations that all else reads.

Whoever has no event that could be the index is not looked at. Of the others, every dated fact of
the kinds that are asked for stands in one relation, with a bit for each kind that it is of, so that
any number of criteria can be counted in one join. A value that is asked about is such a kind, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.language.criteria import Domain, Events
from simulator.language.study import Question
from simulator.language.values import ValueRange
from simulator.language.walk import Kind, kind_of, kinds_of
from simulator.site.concepts import Resolution
from simulator.site.expressions import Parameters, middle_of_month
from simulator.site.tables import EVENT_TABLES
from simulator.site.worth import Worth


@dataclass(frozen=True)
class Facts:
    """Which kinds of fact a question asks about.

    Attributes:
        question: What is asked.
        resolution: The site's concepts for the question's concept sets.
        worth: What the site's units are worth in those that are asked for.
        death_by_month: Whether the site knows of a death only its month.
    """

    question: Question
    resolution: Resolution
    worth: Worth
    death_by_month: bool

    @property
    def bits(self) -> dict[Kind, int]:
        """A bit for each kind. Deaths are always looked at: they end follow-up."""
        return {kind: 1 << position for position, kind in enumerate(kinds_of(self.question))}

    @property
    def watched(self) -> int:
        """The bit of periods of observation."""
        return 1 << len(self.bits)

    def bit(self, events: Events) -> int:
        """The bit of the facts that may be such events."""
        return self.bits[kind_of(events)]

    def people(self, parameters: Parameters) -> str:
        """Whoever has any event that could be the index."""
        index = self.question.cohort.index
        place = EVENT_TABLES[index.domain]
        where = f"{place.date} IS NOT NULL"
        if index.codes is not None:
            ids = parameters.refer(self.resolution.members(index.codes), "BIGINT[]")
            found = " OR ".join(f"list_contains({ids}, {column})" for column in place.concepts)
            where += f" AND ({found})"
        return f"SELECT DISTINCT person_id FROM {place.table} WHERE {where}"

    def codes(self, parameters: Parameters) -> str:
        """Every concept that is asked for, with the bits of its kinds."""
        masks = np.zeros_like(self.resolution.masks)
        for (_, name, value, _), bit in self.bits.items():
            if name is not None and value is None:
                member = self.resolution.masks & self.resolution.bit(name)
                masks |= np.where(member != 0, bit, 0)
        ids = parameters.refer(self.resolution.concept_ids.tolist(), "BIGINT[]")
        bits = parameters.refer(masks.tolist(), "BIGINT[]")
        return f"SELECT unnest({ids}) AS concept_id, unnest({bits}) AS mask"

    def units(self, parameters: Parameters) -> str:
        """Pairs of measurement and unit, with a factor for each unit that is asked for."""
        worth = self.worth
        columns = [
            f"unnest({parameters.refer(worth.concept_ids.tolist(), 'BIGINT[]')}) AS concept_id",
            f"unnest({parameters.refer(worth.unit_ids.tolist(), 'BIGINT[]')}) AS unit_id",
        ]
        for place, factors in enumerate(worth.factors):
            listed = [None if np.isnan(factor) else factor for factor in factors.tolist()]
            columns.append(f"unnest({parameters.refer(listed, 'DOUBLE[]')}) AS f{place}")
        return f"SELECT {', '.join(columns)}"

    def recorded(self) -> str:
        """The dated facts of these people, of every table that is asked about."""
        asked = {domain for domain, *_ in self.bits}
        branches = [self._recorded(domain) for domain in Domain if domain in asked]
        return " UNION ALL ".join([*branches, self._periods()])

    def facts(self, parameters: Parameters) -> str:
        """The recorded facts that are of any kind, each with its bits."""
        mask = "((coalesce(c.mask, 0) | coalesce(s.mask, 0)) & r.coded) | r.always"
        joins = (
            " LEFT JOIN codes c ON c.concept_id = r.concept_id"
            " LEFT JOIN codes s ON s.concept_id = r.source_id"
            " AND r.source_id IS DISTINCT FROM r.concept_id"
        )
        if self.worth.asked:
            mask += "".join(f" | {text}" for text in self._values(parameters))
            joins += (
                " LEFT JOIN units u ON u.concept_id = r.concept_id AND u.unit_id = r.unit_id"
                " LEFT JOIN units v ON v.concept_id = r.source_id AND v.unit_id = r.unit_id"
            )
        return (
            f"SELECT r.person_id, r.id, r.day, r.until, {mask} AS mask FROM recorded r{joins}"
            f" WHERE ({mask}) <> 0"
        )

    def last(self) -> str:
        """The last day with any fact of each of these people, deaths aside."""
        branches = [
            f"SELECT t.person_id, t.{place.date} AS day FROM {place.table} t"
            " SEMI JOIN people USING (person_id)"
            for domain, place in EVENT_TABLES.items()
            if domain is not Domain.DEATH
        ]
        union = " UNION ALL ".join(branches)
        return f"SELECT person_id, max(day) AS day FROM ({union}) GROUP BY person_id"

    def _values(self, parameters: Parameters) -> list[str]:
        """For each kind that is about values, its bit where a fact `r` is of it."""
        found = []
        for (_, codes, value, any_value), bit in self.bits.items():
            if codes is not None and value is not None:
                place = self.worth.asked.index((codes, value.unit))
                converted = f"(r.value * coalesce(u.f{place}, v.f{place}))"
                condition = (
                    f"isfinite({converted})" if any_value else _inside(value, converted, parameters)
                )
                found.append(f"CASE WHEN {condition} THEN {bit}::BIGINT ELSE 0 END")
        return found

    def _recorded(self, domain: Domain) -> str:
        """The facts of one table, with the bits that their codes or mere presence may give."""
        place = EVENT_TABLES[domain]
        day, once = f"t.{place.date}", ""
        if domain is Domain.DEATH:
            # A death happens once, on the earliest day recorded.
            day, once = f"min({day})", " GROUP BY t.person_id"
            if self.death_by_month:
                day = middle_of_month(day)
        standard, source = [f"t.{column}" for column in place.concepts] or ["0", "0"]
        of_domain = [(kind, bit) for kind, bit in self.bits.items() if kind[0] is domain]
        always = sum(bit for (_, codes, _, _), bit in of_domain if codes is None)
        coded = sum(bit for (_, codes, value, _), bit in of_domain if codes and value is None)
        measured = ""
        if self.worth.asked:
            measured = ", NULL::DOUBLE AS value, NULL::BIGINT AS unit_id"
            if domain is Domain.MEASUREMENT:
                measured = (
                    ", t.value_as_number::DOUBLE AS value,"
                    " coalesce(t.unit_concept_id, 0)::BIGINT AS unit_id"
                )
        return (
            f"SELECT t.person_id, t.{place.identifier} AS id, {day} AS day, NULL::DATE AS until,"
            f" {standard} AS concept_id, {source} AS source_id,"
            f" {coded}::BIGINT AS coded, {always}::BIGINT AS always{measured}"
            f" FROM {place.table} t SEMI JOIN people USING (person_id)"
            f" WHERE t.{place.date} IS NOT NULL{once}"
        )

    def _periods(self) -> str:
        """Periods of observation, as facts that last until a day."""
        measured = ", NULL::DOUBLE AS value, NULL::BIGINT AS unit_id" if self.worth.asked else ""
        return (
            "SELECT t.person_id, t.observation_period_id AS id,"
            " t.observation_period_start_date AS day, t.observation_period_end_date AS until,"
            " 0 AS concept_id, 0 AS source_id, 0::BIGINT AS coded,"
            f" {self.watched}::BIGINT AS always{measured}"
            " FROM observation_period t SEMI JOIN people USING (person_id)"
        )


def _inside(value: ValueRange, converted: str, parameters: Parameters) -> str:
    """Whether a converted value lies in a range; infinite ones and those that are none do not."""
    least, most = (">", "<") if value.strict else (">=", "<=")
    parts = [f"isfinite({converted})"]
    low, high = value.limits
    if low is not None:
        parts.append(f"{converted} {least} {parameters.refer(low, 'DOUBLE')}")
    if high is not None:
        parts.append(f"{converted} {most} {parameters.refer(high, 'DOUBLE')}")
    return " AND ".join(parts)
