"""The command line: parse, call, print. Rooms are imported inside the commands, to start fast."""

from __future__ import annotations

from simulator.cli.commands import cli

__all__ = ["cli"]
