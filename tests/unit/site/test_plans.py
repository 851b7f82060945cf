"""A plan says of the relations of a statement what each holds when it is asked for by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from simulator.errors import UserError
from simulator.site.plans import FINAL, planning_seconds, relations
from simulator.site.store import Store
from tests.support.omop import write_omop
from tests.support.records import record, rows

WITH = """WITH even AS MATERIALIZED (SELECT person_id FROM person WHERE person_id % 2 = $two),
twice AS (SELECT person_id FROM even UNION ALL SELECT person_id FROM person),
part_1 AS MATERIALIZED (SELECT person_id FROM twice WHERE person_id < 4),
part_22 AS MATERIALIZED (SELECT p.person_id FROM part_1 p JOIN even USING (person_id)),
part_3b AS (SELECT DISTINCT person_id FROM part_22)
"""
ENDING = "SELECT person_id, count(*) FROM part_3b JOIN twice USING (person_id) GROUP BY ALL"
STATEMENT = f"{WITH} {ENDING}"
GIVEN: dict[str, object] = {"two": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("plans") / "site"
    write_omop(place, rows((person, record("index on 0")) for person in range(1, 21)))
    return place


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    opened = Store(folder)
    yield opened
    opened.close()


def counted(store: Store, relation: str) -> int:
    return int(store.numpy(f"{WITH} SELECT count(*) AS n FROM {relation}", GIVEN)["n"][0])  # noqa: S608


def test_every_relation_has_the_rows_that_it_has_by_itself(store: Store) -> None:
    found = relations(store.plan(STATEMENT, GIVEN, analyze=True))
    assert list(found) == ["even", "twice", "part", "part_3b", FINAL]
    for name in ("even", "twice", "part_3b"):
        assert found[name].rows == counted(store, name)
    assert found["part"].rows == counted(store, "part_1") + counted(store, "part_22")
    assert found[FINAL].rows == len(store.numpy(STATEMENT, GIVEN)["person_id"]) == 1
    assert found["twice"].rows == 30


def test_what_was_carried_out_took_time_and_space(store: Store) -> None:
    plan = store.plan(STATEMENT, GIVEN, analyze=True)
    found = relations(plan)
    assert all(part.seconds >= 0 and part.size > 0 for part in found.values())
    assert sum(part.seconds for part in found.values()) == pytest.approx(_seconds(plan))
    assert 0 < planning_seconds(plan) < 10


def _seconds(node: object) -> float:
    """The time of all operators, however they are nested."""
    if isinstance(node, list):
        return sum(_seconds(one) for one in node)
    assert isinstance(node, dict)
    below = node.get("children", node.get("operator", []))
    return _seconds(below) + float(node.get("timing", 0.0))


def test_estimates_have_the_same_names_and_were_not_carried_out(folder: Path) -> None:
    store = Store(folder, estimating=True)
    plan = store.plan(STATEMENT, GIVEN, analyze=False)
    whole = relations(store.plan("SELECT person_id FROM person", analyze=False))
    store.close()
    found = relations(plan)
    assert list(found) == ["even", "twice", "part", "part_3b", FINAL]
    assert all(part.size == 0 and part.seconds == 0 for part in found.values())
    assert found["twice"].rows > found["even"].rows > 0
    assert whole[FINAL].rows == 20


def test_a_store_that_estimates_is_locked_too(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("name\nAlice\n")
    store = Store(folder, estimating=True)
    with pytest.raises(duckdb.Error):
        store.numpy(f"SELECT * FROM read_csv('{tmp_path}/secret.csv')")  # noqa: S608
    with pytest.raises(duckdb.Error):
        store.numpy("SET threads = 4")
    store.close()


@pytest.mark.parametrize("plan", [{"children": []}, {"operator": 1}, "text", [1], None])
def test_a_plan_of_another_form_is_refused(plan: object) -> None:
    with pytest.raises(UserError, match="a form that is not known"):
        relations(plan)
