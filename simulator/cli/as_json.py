"""Writes results as JSON, a withheld number in a form that is never a number."""

from __future__ import annotations

import msgspec

from simulator.aggregates.released import Withheld


def as_json(report: object) -> str:
    """JSON as it is printed: indented, released values in their own form."""
    return msgspec.json.format(msgspec.json.encode(to_json(report)), indent=2).decode() + "\n"


def to_json(value: object) -> object:
    """Built-in values; a withheld number as ``{"withheld": {"below": 11}}``."""
    if isinstance(value, Withheld):
        return {"withheld": msgspec.to_builtins(value)}
    if isinstance(value, msgspec.Struct):
        fields = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
        return {name: to_json(getattr(value, field)) for name, field in fields}
    if isinstance(value, tuple | list):
        return [to_json(member) for member in value]
    if isinstance(value, dict):
        return {key: to_json(member) for key, member in value.items()}
    return value
