"""The command's entry: runs the command line and turns every outcome into an exit code."""

from __future__ import annotations

import sys

import click

from simulator.cli import cli
from simulator.errors import CohortiumError, Interrupted


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code. A traceback is shown for our defects only."""
    try:
        cli.main(args=arguments, prog_name="cohortium", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo("interrupted; nothing half-written is left", err=True)
        return Interrupted.exit_code
    except CohortiumError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does.
        sys.stderr.close()
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
