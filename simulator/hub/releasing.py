"""Turns the sums that tell of one cohort into what a release lets out of them."""

from __future__ import annotations

from simulator.aggregates.table import Table
from simulator.hub.analyses.released import ReleasedEntries
from simulator.messages.needs import DAYS, EVENTS, PATIENTS
from simulator.privacy.entries import round_entries, withhold_entries
from simulator.privacy.releases import Treatment


def release_entries(table: Table, treatment: Treatment, threshold: int) -> ReleasedEntries:
    """Patients, days and events after each step; those of few patients are not let out."""
    patients, days, events = (table.measure(name).tolist() for name in (PATIENTS, DAYS, EVENTS))
    if treatment is Treatment.SMALL_ROUNDED:
        found = round_entries(patients, days, events, threshold)
    else:
        least = 0 if treatment is Treatment.EXACT else threshold
        found = withhold_entries(patients, days, events, least)
    return ReleasedEntries(table.layout.axes[0].labels, *found)
