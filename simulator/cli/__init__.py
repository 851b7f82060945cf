"""The command line: parse, call, print; rooms are imported inside the commands, to start fast."""

from __future__ import annotations

from simulator.cli.commands import cli

__all__ = ["cli"]
