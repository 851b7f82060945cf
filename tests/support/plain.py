"""Reads YAML as an editor does: dates are text, and the keys of mappings are, too."""

from __future__ import annotations

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Without dates, and with YAML 1.2's two truth values only."""


_KEPT = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:null"}
_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag in _KEPT]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def plain(text: str) -> Any:
    """The document as lists, mappings with text as keys, text and numbers."""
    return _as_text(yaml.load(text, Loader=_Loader))  # noqa: S506 - a safe loader


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _as_text(member) for key, member in value.items()}
    return [_as_text(member) for member in value] if isinstance(value, list) else value
