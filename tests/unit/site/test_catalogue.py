from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import msgspec
import pytest

from simulator.errors import UserError
from simulator.language.codes import Code, ConceptSet
from simulator.language.criteria import Domain
from simulator.messages.catalogue import Holding, Knowledge
from simulator.site.catalogue import CATALOGUE, SITE, read_catalogue, write_catalogue
from simulator.site.store import DATABASE
from tests.support.omop import CONCEPTS, write_omop
from tests.support.records import record, rows


def site(folder: Path, *people: str) -> Path:
    return write_omop(folder, rows(enumerate(map(record, people), start=1)))


def test_a_holding_tells_months_not_days(tmp_path: Path) -> None:
    folder = site(tmp_path, "index on 2019-02-17, index on 2020-01-31", "index on 2019-12-01")
    assert read_catalogue(folder).catalogue.holdings == (
        Holding(Domain.PROCEDURE, dt.date(2019, 2, 1), dt.date(2020, 1, 31)),
    )


def test_february_ends_as_it_does(tmp_path: Path) -> None:
    folder = site(tmp_path, "dead on 2020-02-03")
    assert read_catalogue(folder).catalogue.holdings == (
        Holding(Domain.DEATH, dt.date(2020, 2, 1), dt.date(2020, 2, 29)),
    )


def test_facts_without_a_date_are_not_held(tmp_path: Path) -> None:
    folder = site(tmp_path, "index on ?, chemo on 4")
    assert [held.domain for held in read_catalogue(folder).catalogue.holdings] == [Domain.DRUG]


@pytest.mark.parametrize(("persons", "told"), [(0, 0), (9, 0), (10, 10), (19, 10), (20, 20)])
def test_persons_are_rounded_down_to_tens(tmp_path: Path, persons: int, told: int) -> None:
    folder = site(tmp_path, *["index on 0"] * persons)
    assert read_catalogue(folder).catalogue.persons == told


def test_what_a_site_knows_of_codes(tmp_path: Path) -> None:
    asked = ConceptSet(
        "asked",
        (
            Code("CPT4", "37243"),
            Code("CPT4", "99999"),
            Code("ICD9CM", "174"),
            Code("RxNorm", "100"),
        ),
    )
    described = read_catalogue(site(tmp_path)).describe((asked,))
    assert described.codes[0].entries == (
        Knowledge.FOUND,
        Knowledge.NOT_FOUND,
        Knowledge.VOCABULARY_ABSENT,
        Knowledge.NOT_FOUND,  # CPT4 and SNOMED have a 100, RxNorm has none
    )
    assert described.knows("asked")
    assert not described.knows("something else")
    unknown = ConceptSet("unknown", (Code("CPT4", "99999"),))
    assert not read_catalogue(tmp_path).describe((unknown,)).knows("unknown")


def test_the_vocabularies_are_those_with_concepts(tmp_path: Path) -> None:
    known = read_catalogue(site(tmp_path)).catalogue.vocabularies
    assert known == tuple(sorted({vocabulary for vocabulary, _ in CONCEPTS}))


def test_a_catalogue_is_computed_once_then_read(tmp_path: Path) -> None:
    folder = site(tmp_path, "index on 0")
    first = read_catalogue(folder)
    (folder / DATABASE).unlink()
    assert read_catalogue(folder) == first
    (folder / CATALOGUE).unlink()
    with pytest.raises(UserError, match="there is no database"):
        read_catalogue(folder)


@pytest.mark.parametrize(
    ("settings", "by_month"),
    [
        ("site: a\ndeath dates: month\n", True),
        ("site: a\ndeath dates: day\n", False),
        ("site: a\n", False),
        (None, False),
    ],
)
def test_a_sites_settings_say_how_deaths_are_known(
    tmp_path: Path, settings: str | None, *, by_month: bool
) -> None:
    folder = site(tmp_path, "index on 0")
    if settings is not None:
        (folder / SITE).write_text(settings)
    assert read_catalogue(folder).catalogue.death_by_month is by_month


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ("DROP TABLE person", "table 'person'"),
        ("DROP TABLE observation_period", "table 'observation_period'"),
        ("DROP TABLE concept_ancestor", "table 'concept_ancestor'"),
        ("DROP TABLE drug_exposure", "table 'drug_exposure'"),
        ("ALTER TABLE death DROP death_date", "column 'death.death_date'"),
        ("ALTER TABLE person DROP year_of_birth", "column 'person.year_of_birth'"),
        (
            "ALTER TABLE procedure_occurrence DROP procedure_source_concept_id",
            "column 'procedure_occurrence.procedure_source_concept_id'",
        ),
    ],
)
def test_a_foreign_database_is_told_by_what_it_lacks(
    tmp_path: Path, change: str, lacking: str
) -> None:
    folder = site(tmp_path / "north")
    with duckdb.connect(str(folder / DATABASE)) as database:
        database.execute(change)
    with pytest.raises(UserError) as caught:
        write_catalogue(folder)
    assert str(caught.value) == (
        f"site 'north': this is not an OMOP database: the {lacking} is missing\n"
        "  A site needs the tables of the OMOP Common Data Model v5.4."
    )
    assert not (folder / CATALOGUE).exists()


def test_names_in_capitals_are_the_same_names(tmp_path: Path) -> None:
    folder = site(tmp_path, "index on 0")
    with duckdb.connect(str(folder / DATABASE)) as database:
        database.execute("ALTER TABLE person RENAME TO people")
        database.execute("ALTER TABLE people RENAME TO PERSON")
    assert read_catalogue(folder).catalogue.holdings


def test_a_concept_without_a_vocabulary_is_passed_over(tmp_path: Path) -> None:
    folder = site(tmp_path, "index on 0")
    with duckdb.connect(str(folder / DATABASE)) as database:
        database.execute("UPDATE concept SET vocabulary_id = NULL WHERE vocabulary_id = 'LOINC'")
    assert "LOINC" not in read_catalogue(folder).catalogue.vocabularies


@pytest.mark.parametrize("content", [b"", b"{", b'{"catalogue": 3}'])
def test_a_damaged_catalogue_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    folder = site(tmp_path / "north")
    (folder / CATALOGUE).write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_catalogue(folder)
    assert caught.value.where == "site 'north'"
    assert caught.value.hint == "Remove catalogue.json; it is made anew from the database."


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    folder = site(tmp_path)
    write_catalogue(folder)
    assert sorted(path.name for path in folder.iterdir()) == [CATALOGUE, DATABASE]
    assert msgspec.json.decode((folder / CATALOGUE).read_bytes())["catalogue"]["persons"] == 0
