"""The facts that a question is about, as one list: SQL for the relations that all else reads.

Whoever has no event that could be the index is not looked at. Of the others, every dated fact of
the kinds that are asked for stands in one relation, with a bit for each kind that it is of, so that
any number of criteria can be counted in one join.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.language.criteria import Domain, Events
from simulator.language.study import Question, all_events
from simulator.site.concepts import Resolution
from simulator.site.expressions import Parameters, middle_of_month
from simulator.site.tables import EVENT_TABLES

Kind = tuple[Domain, str | None]


@dataclass(frozen=True)
class Facts:
    """Which kinds of fact a question asks about.

    Attributes:
        question: What is asked.
        resolution: The site's concepts for the question's concept sets.
        death_by_month: Whether the site knows of a death only its month.
    """

    question: Question
    resolution: Resolution
    death_by_month: bool

    @property
    def bits(self) -> dict[Kind, int]:
        """A bit for each kind. Deaths are always looked at: they end follow-up."""
        kinds = {(events.domain, events.codes): None for events in all_events(self.question)}
        kinds[Domain.DEATH, None] = None
        return {kind: 1 << position for position, kind in enumerate(kinds)}

    @property
    def watched(self) -> int:
        """The bit of periods of observation."""
        return 1 << len(self.bits)

    def bit(self, events: Events) -> int:
        """The bit of the facts that may be such events."""
        return self.bits[events.domain, events.codes]

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
        for (_, name), bit in self.bits.items():
            if name is not None:
                member = self.resolution.masks & self.resolution.bit(name)
                masks |= np.where(member != 0, bit, 0)
        ids = parameters.refer(self.resolution.concept_ids.tolist(), "BIGINT[]")
        bits = parameters.refer(masks.tolist(), "BIGINT[]")
        return f"SELECT unnest({ids}) AS concept_id, unnest({bits}) AS mask"

    def recorded(self) -> str:
        """The dated facts of these people, of every table that is asked about."""
        asked = {domain for domain, _ in self.bits}
        branches = [self._recorded(domain) for domain in Domain if domain in asked]
        return " UNION ALL ".join([*branches, self._periods()])

    def facts(self) -> str:
        """The recorded facts that are of any kind, each with its bits."""
        mask = "((coalesce(c.mask, 0) | coalesce(s.mask, 0)) & r.coded) | r.always"
        return (
            f"SELECT r.person_id, r.id, r.day, r.until, {mask} AS mask FROM recorded r"
            " LEFT JOIN codes c ON c.concept_id = r.concept_id"
            " LEFT JOIN codes s ON s.concept_id = r.source_id"
            " AND r.source_id IS DISTINCT FROM r.concept_id"
            f" WHERE ({mask}) <> 0"
        )

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
        always = self.bits.get((domain, None), 0)
        coded = sum(bit for (kind, _), bit in self.bits.items() if kind is domain) - always
        return (
            f"SELECT t.person_id, t.{place.identifier} AS id, {day} AS day, NULL::DATE AS until,"
            f" {standard} AS concept_id, {source} AS source_id,"
            f" {coded}::BIGINT AS coded, {always}::BIGINT AS always"
            f" FROM {place.table} t SEMI JOIN people USING (person_id)"
            f" WHERE t.{place.date} IS NOT NULL{once}"
        )

    def _periods(self) -> str:
        """Periods of observation, as facts that last until a day."""
        return (
            "SELECT t.person_id, t.observation_period_id AS id,"
            " t.observation_period_start_date AS day, t.observation_period_end_date AS until,"
            " 0 AS concept_id, 0 AS source_id, 0::BIGINT AS coded,"
            f" {self.watched}::BIGINT AS always"
            " FROM observation_period t SEMI JOIN people USING (person_id)"
        )
