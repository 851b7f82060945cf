"""Reads DuckDB's plans: how many rows each named relation of a statement has, and what it takes.

A plan is a tree of operators. One of the kind CTE has two children: what a named relation is made
of, and what comes after it; so every operator belongs to the innermost relation that it stands in,
and the others to the final grouping. The form is that of DuckDB 2.0 (EXPLAIN with FORMAT json).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from simulator.errors import UserError

FINAL: Final = "final grouping"
_SERIAL: Final = re.compile(r"_\d+$")
_ESTIMATE: Final = "Estimated Cardinality"
# What stands above the statement's own operators.
_FRAME: Final = frozenset({"RESULT_COLLECTOR", "EXPLAIN_ANALYZE", "CTE"})


@dataclass(frozen=True)
class Relation:
    """One named relation, or all whose names differ by a number only.

    Attributes:
        name: Such as ``people``, ``facts``, ``tally``.
        rows: How many rows it has, by the plan: measured, or estimated.
        size: How many bytes they take; 0 in a plan that was not carried out.
        seconds: How long its operators took; 0 likewise.
    """

    name: str
    rows: int
    size: int
    seconds: float

    def __add__(self, other: Relation) -> Relation:
        return Relation(
            self.name, self.rows + other.rows, self.size + other.size, self.seconds + other.seconds
        )


def relations(plan: Any) -> dict[str, Relation]:
    """The relations of a plan as `Store.plan` returns it, in the order of the statement.

    Raises:
        UserError: The plan is not of DuckDB 2.0's form.
    """
    roots = plan.get("operator") if isinstance(plan, dict) else plan
    if not isinstance(roots, list) or not all(isinstance(root, dict) for root in roots):
        raise UserError(
            "this DuckDB writes plans in a form that is not known",
            hint="Install the tested version: pip install -c constraints.txt duckdb",
        )
    found: dict[str, Relation] = {}
    for root in roots:
        for part in _parts(root, FINAL, top=True):
            found[part.name] = found[part.name] + part if part.name in found else part
    # What comes last in a statement is met first on the way down its tree.
    if FINAL in found:
        found[FINAL] = found.pop(FINAL)
    return found


def planning_seconds(plan: Any) -> float:
    """How long a statement that was carried out was bound, optimized and planned."""
    groups = ("planner", "optimizer", "physical_planner")
    return sum(float(plan.get(group, {}).get("total_time", 0.0)) for group in groups)


def _parts(node: dict[str, Any], owner: str, *, top: bool) -> Iterator[Relation]:
    """What each operator adds to the relation that it stands in; its top one also brings rows."""
    kind = _kind(node)
    children = node.get("children", [])
    seconds = float(node.get("timing") or 0.0)
    if kind == "CTE" and len(children) == 2:
        name = _SERIAL.sub("", node["extra_info"]["CTE Name"])
        yield Relation(name, 0, 0, seconds)
        yield from _parts(children[0], name, top=True)
        yield from _parts(children[1], owner, top=top)
        return
    here = top and kind not in _FRAME
    rows, size = _output(node) if here else (0, 0)
    yield Relation(owner, rows, size, seconds)
    for child in children:
        yield from _parts(child, owner, top=top and not here)


def _output(node: dict[str, Any]) -> tuple[int, int]:
    """The rows and bytes that leave an operator; a union's are those of its parts."""
    if _kind(node) == "UNION":
        parts = [_output(child) for child in node.get("children", [])]
        return sum(rows for rows, _ in parts), sum(size for _, size in parts)
    if "intermediate_rows" in node:
        return int(node["intermediate_rows"]), int(node["intermediate_size_bytes"])
    return int(node.get("extra_info", {}).get(_ESTIMATE, 0)), 0


def _kind(node: dict[str, Any]) -> str:
    """What an operator is; the two kinds of plan call it differently."""
    return str(node.get("type", node.get("name", ""))).strip()
