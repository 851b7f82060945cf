"""Reads results that runs have written, so that two of them can be held side by side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from simulator.errors import UserError, nearest
from simulator.hub.quantities import Name, Value, numbers_of
from simulator.hub.result import LostSite
from simulator.language.documents import read_document

SCHEMA: Final = 1
RESULT: Final = "result.json"
# What other documents are called, by the key that each begins with.
_DOCUMENTS: Final = {
    "study": "a study",
    "frozen": "what `freeze` wrote of a study",
    "cohort": "a cohort",
}


class RecordedNetwork(msgspec.Struct, frozen=True):
    """What a result says of its network and of who answered."""

    name: str
    organisations: int
    online: int
    asked: int
    answered: int
    failed: tuple[LostSite, ...]
    roster: tuple[str, ...]
    built: dict[str, str] = {}


class _Result(msgspec.Struct, frozen=True):
    study: str
    network: RecordedNetwork
    release: dict[str, Any]
    fingerprints: dict[str, str]
    definition: dict[str, dict[str, Any]]
    seed: int | None = None


class _Run(msgspec.Struct, frozen=True):
    started: str
    versions: dict[str, str]
    host: dict[str, str]
    result_fingerprint: str


@dataclass(frozen=True)
class Recorded:
    """A result as it stands in a file.

    Attributes:
        path: The file.
        study: The study's name.
        network: The network, and who answered.
        release: Under which release its numbers stand.
        seed: The seed of its noise, if one was given.
        fingerprints: Of the study's parts, the network and the roster.
        definition: What the study says, by part.
        started: When the run started.
        versions: Of the programs that made it, and of the machine.
        fingerprint: The result's own.
        numbers: Every number of the reproducible part, by its name.
    """

    path: str
    study: str
    network: RecordedNetwork
    release: dict[str, Any]
    seed: int | None
    fingerprints: dict[str, str]
    definition: dict[str, dict[str, Any]]
    started: str
    versions: dict[str, str]
    fingerprint: str
    numbers: dict[Name, Value]


def read_recorded(place: Path) -> Recorded:
    """The result in a file, or in the `result.json` of a folder that `run --out` has written.

    Raises:
        UserError: There is none, or it is not a result of a schema that is known.
    """
    path = place / RESULT if place.is_dir() else place
    whole = _decoded(path)
    if not isinstance(whole, dict) or not {"schema", "result", "run"} <= set(whole):
        raise UserError(
            "this is not a result: expected the keys 'schema', 'result' and 'run'",
            where=str(path),
            hint="Give what `cohortium run STUDY --out FOLDER` has written.",
        )
    if whole["schema"] != SCHEMA:
        raise UserError(
            f"expected a result of schema {SCHEMA}; found {whole['schema']!r}",
            where=str(path),
            hint="Read it with the version of cohortium that wrote it.",
        )
    try:
        result = msgspec.convert(whole["result"], _Result)
        run = msgspec.convert(whole["run"], _Run)
        numbers = dict(numbers_of(whole["result"]))
    except msgspec.ValidationError as error:
        raise UserError(
            f"the result does not say all that is needed: {error}",
            where=str(path),
            hint="It was changed, or an earlier version wrote it: run the study again.",
        ) from error
    return Recorded(
        path=str(path),
        study=result.study,
        network=result.network,
        release=result.release,
        seed=result.seed,
        fingerprints=result.fingerprints,
        definition=result.definition,
        started=run.started,
        versions=run.versions | run.host,
        fingerprint=run.result_fingerprint,
        numbers=numbers,
    )


def _decoded(path: Path) -> object:
    try:
        return msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        beside = [other.name for other in path.parent.glob("*")]
        raise UserError(
            "there is no such file",
            where=str(path),
            hint=nearest(path.name, beside) or "Write one with `cohortium run STUDY --out FOLDER`.",
        ) from None
    except OSError as error:
        raise UserError(f"it cannot be read: {error.strerror}", where=str(path)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        kind = _document(path)
        if kind is not None:
            raise UserError(
                f"this is {kind}; `diff` takes results, which `cohortium run STUDY` writes "
                "with --out FOLDER or --format json",
                where=str(path),
            ) from None
        raise UserError(f"this is not JSON: {error}", where=_place(path)) from error


def _document(path: Path) -> str | None:
    """What a file is that is no result but another document of ours; None if it is none."""
    try:
        top = read_document(path)
        keys = {key.text() for key, _ in top.entries()}
    except UserError:
        return None
    return next((kind for key, kind in _DOCUMENTS.items() if key in keys), None)


def _place(path: Path) -> str:
    """The file, with line and column where it stops being JSON."""
    try:
        json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        return f"{path}:{error.lineno}:{error.colno}"
    except (UnicodeDecodeError, RecursionError):
        return str(path)
    return str(path)
