"""The interpreter's patients at one site of a built network, read from the site's folder."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from simulator.language.study import Question
from simulator.site.catalogue import read_catalogue
from simulator.site.store import Store
from simulator.truth.interpreter import patients


def patients_at(folder: Path, question: Question) -> pl.DataFrame:
    """The rows that `patients` chooses from a site's database.

    Raises:
        UserError: There is no database, or it is damaged.
    """
    by_month = read_catalogue(folder).catalogue.death_by_month
    store = Store(folder)
    try:
        return patients(store, question, death_by_month=by_month)
    finally:
        store.close()
