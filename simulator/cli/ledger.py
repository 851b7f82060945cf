"""The command that shows what a site was asked and let out, and whether its ledger is intact."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli import options
from simulator.cli.inputs import now


@click.command()
@click.argument("site")
@options.network
@options.data
@click.option("--check", is_flag=True, help="Hold it against its chain; exit code 5 on a fault.")
@click.option(
    "--last",
    type=click.IntRange(1),
    metavar="N",
    help="Print the last N entries; default: 20 as text, all as JSON and CSV.",
)
@click.option("--all", "every", is_flag=True, help="As text, show answers with the catalogue, too.")
@click.option("--open", "lift", is_flag=True, help="Lift the lock of a quota that is used up.")
@options.output_format
def ledger(
    site: str,
    network: str,
    data: Path,
    last: int | None,
    form: str,
    *,
    check: bool,
    every: bool,
    lift: bool,
) -> None:
    """Show what a SITE was asked and what it let out.

    The site writes it down before it answers, each line chained to the one before
    it. Keep the head that --check prints elsewhere: only so can it be told later
    whether all of it was written anew.
    """
    from simulator.cli.ledger_text import Told, print_ledger
    from simulator.errors import UserError, VerificationFailed, nearest
    from simulator.network import find_network
    from simulator.site.ledger import LEDGER, FileLedger, LedgerError, opening
    from simulator.site.ledger_check import check_ledger
    from simulator.site.ledger_file import LEDGER_HEAD
    from simulator.site.policy import POLICY, read_policy

    built = find_network(network, data)
    known = [member.site for member in built.members]
    if site not in known:
        raise UserError(
            f"there is no site '{site}' in the network '{built.name}'",
            hint=nearest(site, known) or "Type `cohortium sites` to see which there are.",
        )
    folder = built.folder_of(site)
    try:
        if lift:
            FileLedger(folder / LEDGER).append(opening(now()))
        found = check_ledger(folder / LEDGER, site)
    except LedgerError as error:
        raise UserError(
            f"the ledger cannot be used: {error}",
            where=f"site '{site}'",
            hint=f"Type `cohortium ledger {site} --check` to see what is wrong with it.",
        ) from error
    try:
        budget = read_policy(folder / POLICY).budget
    except UserError as error:
        budget = None
        click.echo(f"warning: '{site}' lets nothing out: {error}", err=True)
    print_ledger(Told(site, found, budget, now()), form=form, last=last, check=check, every=every)
    if check and found.faults:
        faults = "1 fault" if len(found.faults) == 1 else f"{len(found.faults)} faults"
        raise VerificationFailed(
            f"the ledger is not intact: {faults}",
            where=f"site '{site}'",
            hint=f"To begin anew, move {LEDGER} and {LEDGER_HEAD} away and keep them.",
        )
