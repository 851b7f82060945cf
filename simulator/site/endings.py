"""What is counted of a question's patients at the end of its statement.

An ending is the SQL of a selection from the relation `patient` whose columns are need, a, b, c, d
and n, all whole numbers: which ending it is, what the counted patients have in common, and how many
they are. The relation's columns are person_id, day (the index), held (a bit for each step, arm and
level), passed (how many leading steps hold), days and event (the end of follow-up), ended (the end
of observation), died, and line0, line1, ... (the first day of each kind of treatment).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from simulator.site.expressions import Parameters

Ending = Callable[[int, Parameters], str]

_KEYS: Final = 65_536


def groups(need: int, _parameters: Parameters) -> str:
    """Patients by conditions held (a), days of follow-up (b) and whether the outcome came (c)."""
    return (
        f"SELECT {need} AS need, held AS a, days AS b, event::BIGINT AS c, 0 AS d, count(*) AS n"
        " FROM patient GROUP BY ALL"
    )


def entries(need: int, _parameters: Parameters) -> str:
    """Entries by steps passed (a): patients whose furthest it is (b = 0), days (1), events (2).

    For statements in which every index event is an entry.
    """
    furthest = "SELECT person_id, max(passed) AS passed FROM patient GROUP BY person_id"
    return (
        f"SELECT {need} AS need, passed AS a, 0 AS b, 0 AS c, 0 AS d, count(*) AS n"
        f" FROM ({furthest}) GROUP BY passed"
        f" UNION ALL SELECT {need}, passed, 1, 0, 0, count(*) FROM patient GROUP BY passed"
        f" UNION ALL SELECT {need}, passed, 2, 0, 0, sum(events) FROM patient GROUP BY passed"
    )


def groups_with_keys(salt: bytes) -> Ending:
    """As `groups`, with the sum of the patients' keys (d), which follow from the salt."""

    def ending(need: int, parameters: Parameters) -> str:
        key = f"hash(person_id, {parameters.refer(salt.hex(), 'VARCHAR')}) % {_KEYS}"
        return (
            f"SELECT {need} AS need, held AS a, days AS b, event::BIGINT AS c,"
            f" sum({key})::BIGINT AS d, count(*) AS n FROM patient GROUP BY held, days, event"
        )

    return ending
