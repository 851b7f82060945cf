"""The command's entry: runs the command line and turns every outcome into an exit code."""

from __future__ import annotations

import os
import sys

import click

from simulator.cli import cli
from simulator.cli.complaints import told
from simulator.errors import CohortiumError, Interrupted, UserError


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
        click.echo(told(error), err=True)
        return error.exit_code
    except (BrokenPipeError, SystemExit):
        # Whoever read our output has gone, as `head` does; nothing is left to flush at the end. Of
        # what prints for us, click and rich, each turns it into an exit, and nothing else does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"error: {place}{error.strerror or error}", err=True)
        return UserError.exit_code
    except MemoryError:
        click.echo("error: there is not enough memory for this\n  Ask for less.", err=True)
        return UserError.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
