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
        # What msgspec would leave out is left out here, too: the fingerprint is made without it.
        omits = value.__struct_config__.omit_defaults
        told = ((field, getattr(value, field.name)) for field in msgspec.structs.fields(value))
        return {
            field.encode_name: to_json(content)
            for field, content in told
            if not (omits and content == field.default)
        }
    if isinstance(value, tuple | list):
        return [to_json(member) for member in value]
    if isinstance(value, dict):
        return {key: to_json(member) for key, member in value.items()}
    return value
