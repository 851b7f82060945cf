"""A site's catalogue: computed once from its database, then answered without opening it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from simulator.errors import UserError
from simulator.language.codes import ConceptSet
from simulator.language.criteria import Domain
from simulator.language.documents import read_document
from simulator.messages.catalogue import ROUNDED, Catalogue, Described, Holding, knowledge
from simulator.site.store import Store
from simulator.site.tables import EVENT_TABLES

CATALOGUE: Final = "catalogue.json"
SITE: Final = "site.yaml"
_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "person": ("person_id", "gender_concept_id", "year_of_birth"),
    "observation_period": (
        "person_id",
        "observation_period_start_date",
        "observation_period_end_date",
    ),
    "concept": ("concept_id", "vocabulary_id", "concept_code"),
    "concept_ancestor": ("ancestor_concept_id", "descendant_concept_id"),
    **{
        place.table: ("person_id", place.identifier, place.date, *place.concepts)
        for place in EVENT_TABLES.values()
    },
}


class CatalogueFile(msgspec.Struct, frozen=True):
    """What stands in a site's catalogue file.

    Attributes:
        catalogue: What the site tells others about itself.
        codes: The codes that its vocabulary tables know, by vocabulary. Only asked codes are ever
            told.
    """

    catalogue: Catalogue
    codes: dict[str, frozenset[str]]

    def describe(self, sets: tuple[ConceptSet, ...]) -> Described:
        """The catalogue, with what the site knows of some concept sets."""
        return Described(self.catalogue, knowledge(self.codes, sets))


def read_catalogue(folder: Path) -> CatalogueFile:
    """The catalogue of a site, computed from its database first where there is none yet.

    Raises:
        UserError: There is neither a catalogue nor a database that one can be made from.
    """
    path = folder / CATALOGUE
    if not path.is_file():
        return write_catalogue(folder)
    try:
        return msgspec.json.decode(path.read_bytes(), type=CatalogueFile)
    except msgspec.MsgspecError as error:
        raise UserError(
            f"the catalogue cannot be read: {error}",
            where=f"site '{folder.name}'",
            hint=f"Remove {CATALOGUE}; it is made anew from the database.",
        ) from error


def write_catalogue(folder: Path) -> CatalogueFile:
    """Computes a site's catalogue from its database and writes it beside it.

    Raises:
        UserError: The database is missing, damaged, or not an OMOP database.
    """
    store = Store(folder)
    try:
        made = _computed(folder, store)
    finally:
        store.close()
    partial = folder / f"{CATALOGUE}.partial"
    partial.write_bytes(msgspec.json.encode(made, order="deterministic"))
    partial.replace(folder / CATALOGUE)
    return made


def _computed(folder: Path, store: Store) -> CatalogueFile:
    _check_tables(folder, store)
    holdings = tuple(
        holding for domain in Domain if (holding := _holding(store, domain)) is not None
    )
    known = store.arrow(
        "SELECT DISTINCT vocabulary_id, concept_code FROM concept"
        " WHERE vocabulary_id IS NOT NULL AND concept_code IS NOT NULL"
    ).to_pydict()
    codes: dict[str, set[str]] = {}
    for vocabulary, code in zip(known["vocabulary_id"], known["concept_code"], strict=True):
        codes.setdefault(vocabulary, set()).add(code)
    persons = int(store.numpy("SELECT count(*) AS n FROM person")["n"][0])
    return CatalogueFile(
        Catalogue(
            site=folder.name,
            persons=persons // ROUNDED * ROUNDED,
            holdings=holdings,
            vocabularies=tuple(sorted(codes)),
            death_by_month=_death_by_month(folder),
        ),
        {vocabulary: frozenset(members) for vocabulary, members in sorted(codes.items())},
    )


def _check_tables(folder: Path, store: Store) -> None:
    """Refuses a database that lacks a table or a column that any question may need."""
    if all(store.holds(table, columns) for table, columns in _NEEDED.items()):
        return
    tables = store.tables()
    for table, columns in _NEEDED.items():
        lacking = [column for column in columns if column not in tables.get(table, ())]
        if table not in tables or lacking:
            what = f"column '{table}.{lacking[0]}'" if table in tables else f"table '{table}'"
            raise UserError(
                f"this is not an OMOP database: the {what} is missing",
                where=f"site '{folder.name}'",
                hint="A site needs the tables of the OMOP Common Data Model v5.4.",
            )


def _holding(store: Store, domain: Domain) -> Holding | None:
    place = EVENT_TABLES[domain]
    # The names come from EVENT_TABLES, never from a request.
    sql = (
        f"SELECT date_trunc('month', min({place.date}))::DATE AS first,"  # noqa: S608
        f" last_day(max({place.date})) AS last FROM {place.table}"
    )
    months = store.arrow(sql).to_pylist()[0]
    if months["first"] is None:
        return None
    return Holding(domain, months["first"], months["last"])


def _death_by_month(folder: Path) -> bool:
    """What the site's own settings say; a database without settings knows the day."""
    path = folder / SITE
    if not path.is_file():
        return False
    given = {key.text(): value for key, value in read_document(path).entries()}
    return "death dates" in given and given["death dates"].text() == "month"
