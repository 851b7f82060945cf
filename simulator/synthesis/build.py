"""Builds a network: the plan here, the sites in processes, then the network's own file."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

import simulator
from simulator.errors import UserError, nearest
from simulator.site.store import DATABASE
from simulator.synthesis.networks import NetworkFile
from simulator.synthesis.plan import Plan, SitePlan, draw_plan
from simulator.synthesis.site_build import TEMPORARY, SiteBuilder
from simulator.synthesis.truth_file import PLAN_FILE, TRUTH_FOLDER
from simulator.synthesis.workers import build_in_processes

NETWORK_FILE: Final = "network.yaml"
STATE_FILE: Final = ".build.json"
_CODE: Final = ("synthesis/*.py", "site/schema.py", "language/hierarchy.py", "language/units.py")


class _State(msgspec.Struct, frozen=True):
    """What the sites of a folder were built from; anything else begins anew."""

    network: str
    inputs: str
    seed: int
    patients: int
    code: str


class BuildReport(msgspec.Struct, frozen=True):
    """What a build did.

    Attributes:
        network: Its name.
        folder: Where it stands.
        built: Sites built now, in the network's order.
        kept: Sites that an earlier build had left whole.
        patients: Patients of all sites of the plan.
        cohort: Patients of the cohort.
        draws: Draws that each arm took.
        conditioned: Whether arms were accepted by their own result.
        replaced: Whether the sites of another build, ledgers and all, gave way.
    """

    network: str
    folder: Path
    built: tuple[str, ...]
    kept: tuple[str, ...]
    patients: int
    cohort: int
    draws: dict[str, int]
    conditioned: bool
    replaced: bool = False


def _code_fingerprint() -> str:
    """SHA-256 over the source that makes rows: another version of it makes other rows."""
    package = Path(simulator.__file__).parent
    digest = hashlib.sha256()
    for pattern in _CODE:
        for path in sorted(package.glob(pattern)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _prepare(destination: Path, state: _State) -> bool:
    """Clears what another build left, unless it was the same build; half sites always.

    Returns:
        Whether sites of another build were there.
    """
    destination.mkdir(parents=True, exist_ok=True)
    path = destination / STATE_FILE
    same = path.is_file() and path.read_bytes() == msgspec.json.encode(state)
    shutil.rmtree(destination / TEMPORARY, ignore_errors=True)
    (destination / NETWORK_FILE).unlink(missing_ok=True)
    others = [] if same else [database.parent for database in destination.glob(f"*/{DATABASE}")]
    if not same:
        path.unlink(missing_ok=True)
        shutil.rmtree(destination / TRUTH_FOLDER, ignore_errors=True)
        for folder in others:
            shutil.rmtree(folder)
        path.write_bytes(msgspec.json.encode(state))
    (destination / TRUTH_FOLDER).mkdir(exist_ok=True)
    return bool(others)


def _chosen(network: NetworkFile, sites: Sequence[str] | None) -> tuple[str, ...]:
    known = tuple(organisation.site for organisation in network.organisations)
    if sites is None:
        return known
    for site in sites:
        if site not in known:
            raise UserError(
                f"there is no site '{site}'",
                where=f"network '{network.name}'",
                hint=nearest(site, known),
            )
    return tuple(site for site in known if site in set(sites))


def _is_whole(destination: Path, site: str) -> bool:
    """Whether a site stands there with a database that looks like one, and its truth."""
    database = destination / site / DATABASE
    if not (database.is_file() and (destination / TRUTH_FOLDER / f"{site}.parquet").is_file()):
        return False
    with database.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"  # DuckDB's own mark, behind a checksum


def _write_plan(destination: Path, plan: Plan, network: NetworkFile, seed: int) -> None:
    content = {
        "network": network.name,
        "scenario": network.scenario.name,
        "scenario_fingerprint": network.scenario.fingerprint,
        "seed": seed,
        "conditioned": network.scenario.acceptance.required,
        "redraws": sum(one.draws - 1 for one in plan.figures),
        "arms": plan.figures,
        "second_study": plan.second,
        "can_answer": [
            organisation.site
            for organisation, able in zip(network.organisations, plan.can_answer, strict=True)
            if able
        ],
    }
    encoded = msgspec.json.format(msgspec.json.encode(content), indent=2)
    (destination / TRUTH_FOLDER / PLAN_FILE).write_bytes(encoded + b"\n")


def _write_network(destination: Path, network: NetworkFile, seed: int, patients: int) -> None:
    conditioned = "true" if network.scenario.acceptance.required else "false"
    lines = [
        f"network: {network.name}",
        f'title: "{network.title}"',
        "built:",
        f"  scenario: {network.scenario.name}",
        f"  seed: {seed}",
        f"  patients: {patients}",
        f"  codes: {network.hierarchy.fingerprint}",
        f"  version: {simulator.__version__}",
        f"  conditioned: {conditioned}",
        "sites:",
    ]
    for organisation in network.organisations:
        if (destination / organisation.site).is_dir():
            online = "true" if organisation.online else "false"
            lines.append(
                f'  - {{site: {organisation.site}, name: "{organisation.name}", online: {online}}}'
            )
    temporary = destination / f".{NETWORK_FILE}"
    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    temporary.replace(destination / NETWORK_FILE)


def _run(
    plans: Sequence[SitePlan],
    network: NetworkFile,
    seed: int,
    destination: Path,
    jobs: int,
    on_site: Callable[[str], None],
) -> None:
    # The largest first, so that no worker is left alone with it at the end.
    ordered = sorted(plans, key=lambda plan: plan.patients, reverse=True)
    if jobs > 1 and len(ordered) > 1:
        build_in_processes(
            ordered, network, seed=seed, destination=destination, jobs=jobs, on_site=on_site
        )
        return
    builder = SiteBuilder(network, seed, destination)
    for plan in ordered:
        builder.build(plan)
        on_site(network.organisations[plan.number].site)


def build(
    network: NetworkFile,
    *,
    destination: Path,
    patients: int,
    seed: int,
    jobs: int,
    sites: Sequence[str] | None = None,
    on_site: Callable[[str], None] | None = None,
) -> BuildReport:
    """Builds a network, or some of its sites.

    Each site follows from scenario, seed, its own identifier and its part of the plan alone: the
    same rows for any number of jobs and any choice of sites. A build that was cut short leaves
    whole sites only; the next one with the same inputs goes on with those that are missing.

    Args:
        network: The network.
        destination: The network's folder; other files in it are left alone.
        patients: Patients of all sites together.
        seed: Any whole number from 0 up.
        jobs: Processes; 1 builds in this one.
        sites: The sites to build; None builds all.
        on_site: Told the name of each site that is done.

    Raises:
        UserError: A site is unknown, or the patients are too few, or no draw was accepted.
        KeyboardInterrupt: Ctrl-C; no process and no half site is left.
    """
    chosen = _chosen(network, sites)
    plan = draw_plan(network, patients=patients, seed=seed)
    state = _State(network.name, network.fingerprint, seed, patients, _code_fingerprint())
    replaced = _prepare(destination, state)
    _write_plan(destination, plan, network, seed)
    names = [organisation.site for organisation in network.organisations]
    wanted = [one for one in plan.sites if names[one.number] in chosen]
    missing = [one for one in wanted if not _is_whole(destination, names[one.number])]
    for one in missing:
        shutil.rmtree(destination / names[one.number], ignore_errors=True)
    try:
        _run(missing, network, seed, destination, jobs, on_site or (lambda _: None))
    finally:
        shutil.rmtree(destination / TEMPORARY, ignore_errors=True)
    _write_network(destination, network, seed, patients)
    return BuildReport(
        network=network.name,
        folder=destination,
        built=tuple(names[one.number] for one in missing),
        kept=tuple(
            names[one.number] for one in wanted if all(one is not other for other in missing)
        ),
        patients=patients,
        cohort=sum(len(one.cohort) for one in plan.sites),
        draws={one.arm: one.draws for one in plan.figures},
        conditioned=network.scenario.acceptance.required,
        replaced=replaced,
    )
