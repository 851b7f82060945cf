"""What the aggregator keeps from run to run: counts that it let out, and sums that carry noise."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final, Protocol

import msgspec

from simulator.aggregates.table import Table
from simulator.errors import UserError
from simulator.hub.memory import Memory, NoMemory
from simulator.messages.codec import MalformedMessage, decode_cells, encode_cells
from simulator.messages.needs import layout_of
from simulator.messages.noise import cost_of
from simulator.messages.requests import RoundRequest
from simulator.privacy.budget import NOTHING

NOISY: Final = "noisy.jsonl"


class KeptSum(msgspec.Struct, frozen=True):
    """A sum with noise, as it was opened.

    Attributes:
        at: When, in UTC.
        key: `key_of` what was asked, of whom, under which release.
        roster: The sites whose cells are in it, in roster order.
        cells: For each need its cells, as a message would carry them.
        pure: What it cost in pure epsilon, as a fraction; None: it has none.
        zcdp: What it cost in rho of zero-concentrated differential privacy.
    """

    at: dt.datetime
    key: str
    roster: tuple[str, ...]
    cells: tuple[bytes, ...]
    pure: str | None = None
    zcdp: str = "0"


class NoisySums(Protocol):
    """Where sums with noise are kept: given out again they cost nothing."""

    def find(self, key: str) -> KeptSum | None:
        """The sum under a key, if there is one."""

    def keep(self, found: KeptSum) -> None:
        """Keeps a sum; it stands when this returns."""

    def spent(self) -> Mapping[str, str]:
        """What all sums have cost together, as `spent_on`."""


class FreshSums:
    """Sums that are kept as long as the process lives."""

    def __init__(self) -> None:
        self._kept: dict[str, KeptSum] = {}

    def find(self, key: str) -> KeptSum | None:
        """The sum under a key, if there is one."""
        return self._kept.get(key)

    def keep(self, found: KeptSum) -> None:
        """Keeps a sum."""
        self._kept[found.key] = found

    def spent(self) -> Mapping[str, str]:
        """What all sums have cost together."""
        return spent_on(self._kept.values())


class FileSums:
    """Sums in a file that only its owner may read, a line each.

    Args:
        path: The file; made when first needed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, key: str) -> KeptSum | None:
        """The sum under a key, if there is one.

        Raises:
            UserError: The file cannot be read, or a line of it is damaged.
        """
        return next((kept for kept in reversed(self._all()) if kept.key == key), None)

    def spent(self) -> Mapping[str, str]:
        """What all sums have cost together.

        Raises:
            UserError: The file cannot be read, or a line of it is damaged.
        """
        return spent_on(self._all())

    def _all(self) -> list[KeptSum]:
        if not self._path.is_file():
            return []
        found = []
        for number, line in enumerate(self._path.read_bytes().splitlines(), start=1):
            try:
                found.append(msgspec.json.decode(line, type=KeptSum))
            except msgspec.MsgspecError as error:
                raise UserError(
                    f"this is no sum that was kept: {error}",
                    where=f"{self._path}:{number}",
                    hint="Move the file away; what was released is then asked, and paid, anew.",
                ) from error
        return found

    def keep(self, found: KeptSum) -> None:
        """Adds a line to the file."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(msgspec.json.encode(found) + b"\n")


def spent_on(sums: Iterable[KeptSum]) -> dict[str, str]:
    """What sums have cost together: pure epsilon, where all have one, and rho, as fractions.

    They are about the same patients, so their costs add up.
    """
    kept = list(sums)
    zcdp = sum((Fraction(found.zcdp) for found in kept), Fraction(0))
    told = {"zcdp": str(zcdp)}
    if all(found.pure is not None for found in kept):
        told["epsilon"] = str(sum((Fraction(found.pure or 0) for found in kept), Fraction(0)))
    return told


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Past:
    """What the aggregator knows of earlier runs.

    Attributes:
        memory: The counts that it let out.
        noisy: The sums with noise that it opened.
        clock: The time in UTC.
    """

    memory: Memory = field(default_factory=NoMemory)
    noisy: NoisySums = field(default_factory=FreshSums)
    clock: Callable[[], dt.datetime] = _now


def key_of(request: RoundRequest) -> str:
    """SHA-256 of what is asked, of whom and under which release; not of the run."""
    asked = (
        request.question,
        request.needs,
        request.release,
        request.round,
        request.roster,
        request.roster_size,
    )
    return hashlib.sha256(msgspec.msgpack.encode(asked)).hexdigest()


def to_keep(
    request: RoundRequest, tables: Sequence[Table], roster: tuple[str, ...], at: dt.datetime
) -> KeptSum:
    """A sum as it is kept."""
    cells = tuple(encode_cells(table.flat()) for table in tables)
    cost = cost_of(request) or NOTHING
    pure = None if cost.pure is None else str(cost.pure)
    return KeptSum(at, key_of(request), roster, cells, pure, str(cost.zcdp))


def as_kept(request: RoundRequest, kept: KeptSum) -> tuple[Table, ...]:
    """The tables of a sum that was kept.

    Raises:
        UserError: They do not fit what is asked, although the key does.
    """
    layouts = [layout_of(need, request.question) for need in request.needs]
    try:
        return tuple(
            Table.from_flat(layout, decode_cells(cells, layout.cells))
            for layout, cells in zip(layouts, kept.cells, strict=True)
        )
    except (MalformedMessage, ValueError) as error:
        raise UserError(
            f"a sum that was kept does not fit its key: {error}",
            hint=f"Move the file '{NOISY}' of the aggregator away.",
        ) from error
