"""Endings that count many codes and tests at once, by the site's own vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from simulator.language.codes import ConceptSet
from simulator.language.criteria import Domain
from simulator.language.units import bundled_units
from simulator.language.values import PLAIN, is_plain
from simulator.messages.describing import CodesNeed, LabsNeed, LabTest
from simulator.site.concepts import RESOLVE
from simulator.site.describing import Body
from simulator.site.expressions import Parameters
from simulator.site.store import Store
from simulator.site.tables import EVENT_TABLES

_TESTS: Final = (
    "SELECT concept_id, concept_code FROM concept WHERE vocabulary_id = 'LOINC'"
    " AND concept_id <> 0 AND list_contains($codes::VARCHAR[], concept_code)"
)
_UNITS: Final = (
    "SELECT concept_id, concept_code FROM concept WHERE vocabulary_id = 'UCUM' AND concept_id <> 0"
)
_NO_UNIT: Final = 0
_DAYS: Final = 365


def codes_body(store: Store, need: CodesNeed) -> Body:
    """Patients with a fact at or before index: of all (a = 0), and of each concept set (1, ...)."""
    pairs = _members(store, need.sets)
    place = EVENT_TABLES[need.domain]

    def body(parameters: Parameters, cohort: str) -> str:
        listed = _unnested(
            parameters,
            concept_id=("BIGINT[]", [concept for concept, _ in pairs]),
            place=("BIGINT[]", [at + 1 for _, at in pairs]),
        )
        met = " UNION ".join(
            f"SELECT q.person_id, l.place FROM {cohort} JOIN {place.table} t"
            f" ON t.person_id = q.person_id AND t.{place.date} <= q.day"
            f" JOIN ({listed}) l ON l.concept_id = t.{column}"
            for column in place.concepts
        )
        return (
            f"SELECT place AS a, 0 AS b, 0 AS c, 0 AS d, count(*) AS n FROM ({met}) GROUP BY place"
            f" UNION ALL SELECT 0, 0, 0, 0, count(*) FROM {cohort}"
        )

    return body


def labs_body(store: Store, need: LabsNeed) -> Body:
    """Patients by test (a) and bin (b) of their latest value; all of them (a = how many tests)."""
    worth = _worth(store, need.tests)
    place = EVENT_TABLES[Domain.MEASUREMENT]

    def body(parameters: Parameters, cohort: str) -> str:
        known = _unnested(
            parameters,
            concept_id=("BIGINT[]", [concept for concept, *_ in worth]),
            unit_id=("BIGINT[]", [unit for _, unit, *_ in worth]),
            place=("BIGINT[]", [at for *_, at, _ in worth]),
            factor=("DOUBLE[]", [factor for *_, factor in worth]),
        )
        edges = _unnested(
            parameters,
            place=("BIGINT[]", [at for at, test in enumerate(need.tests) for _ in test.edges]),
            edge=("DOUBLE[]", [edge for test in need.tests for edge in test.edges]),
        )
        found = " UNION ".join(
            f"SELECT q.person_id, w.place, t.{place.date} AS day,"
            f" t.value_as_number::DOUBLE * w.factor AS value FROM {cohort} JOIN {place.table} t"
            f" ON t.person_id = q.person_id AND t.{place.date} BETWEEN q.day - {_DAYS} AND q.day"
            f" JOIN ({known}) w ON w.concept_id = t.{column}"
            " AND w.unit_id = coalesce(t.unit_concept_id, 0)"
            for column in place.concepts
        )
        latest = (
            f"SELECT person_id, place, value FROM ({found}) WHERE isfinite(value) QUALIFY"
            " row_number() OVER (PARTITION BY person_id, place ORDER BY day DESC, value DESC) = 1"
        )
        placed = (
            f"SELECT v.place AS a, count(e.edge) AS b FROM ({latest}) v"
            f" LEFT JOIN ({edges}) e ON e.place = v.place AND e.edge <= v.value"
            " GROUP BY v.place, v.person_id"
        )
        return (
            f"SELECT a, b, 0 AS c, 0 AS d, count(*) AS n FROM ({placed}) GROUP BY a, b"
            f" UNION ALL SELECT {len(need.tests)}, 0, 0, 0, count(*) FROM {cohort}"
        )

    return body


def _unnested(parameters: Parameters, **columns: tuple[str, Sequence[object]]) -> str:
    """A relation of columns of equal length, given as parameters."""
    listed = [
        f"unnest({parameters.refer(list(values), kind)}) AS {name}"
        for name, (kind, values) in columns.items()
    ]
    return f"SELECT {', '.join(listed)}"


def _members(store: Store, sets: Sequence[ConceptSet]) -> list[tuple[int, int]]:
    """Pairs of a concept that the site knows and the place of a set that it is in, in order."""
    entries = [
        (place, included, code)
        for place, codes in enumerate(sets)
        for included, listed in ((True, codes.include), (False, codes.exclude))
        for code in listed
    ]
    found = store.numpy(
        RESOLVE,
        {
            "entry": list(range(len(entries))),
            "vocabulary": [code.vocabulary for *_, code in entries],
            "code": [code.code for *_, code in entries],
            "descendants": [code.descendants for *_, code in entries],
        },
    )
    pairs: dict[bool, set[tuple[int, int]]] = {True: set(), False: set()}
    for entry, concept in zip(found["entry"].tolist(), found["concept_id"].tolist(), strict=True):
        place, included, _ = entries[entry]
        pairs[included].add((concept, place))
    return sorted(pairs[True] - pairs[False])


def _worth(store: Store, tests: Sequence[LabTest]) -> list[tuple[int, int, int, float]]:
    """Concept of the test, concept of the unit (0 for none), place of the test, and factor."""
    concepts = _codes(store, _TESTS, {"codes": [test.loinc for test in tests]})
    units = {**_codes(store, _UNITS, {}), _NO_UNIT: PLAIN}
    found = []
    for place, test in enumerate(tests):
        for concept, loinc in concepts.items():
            for unit, given in units.items():
                if loinc != test.loinc or (unit == _NO_UNIT and not is_plain(test.unit)):
                    continue
                factor = bundled_units().factor(loinc, given, test.unit)
                if factor is not None:
                    found.append((concept, unit, place, factor))
    return found


def _codes(store: Store, sql: str, parameters: dict[str, object]) -> dict[int, str]:
    found = store.arrow(sql, parameters).to_pydict()
    return dict(zip(found["concept_id"], found["concept_code"], strict=True))
