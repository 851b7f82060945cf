"""Whether enough sites are left for a run to go on."""

from __future__ import annotations

from simulator.errors import Refused, TooFewAnswers
from simulator.hub.exchanging import Loss
from simulator.hub.planner import Plan
from simulator.hub.wire import Lost
from simulator.messages.requests import RoundRequest, Trouble
from simulator.privacy.release import least_honest

# What a longer deadline may mend.
_TOO_LATE = (str(Lost.SILENT), str(Trouble.DEADLINE))
# What else can be done where all sites refuse, except in the laboratory itself.
_INSIDE = ", or look at it in the laboratory with --release exact"


def check_least_roster(plan: Plan, left: tuple[str, ...]) -> None:
    """Ends a run over fewer sites than one of them wants in a sum.

    Raises:
        TooFewAnswers: So it is.
    """
    if len(left) < plan.least_sites:
        raise TooFewAnswers(
            f"{len(left)} sites are left; a policy asks for sums of at least {plan.least_sites}",
            hint="Run again later.",
        )


def check_noise(plan: Plan, request: RoundRequest, left: tuple[str, ...]) -> None:
    """Ends a run whose noise would be less than was promised."""
    noise = plan.release.noise
    if noise is None or len(left) >= least_honest(noise, request.roster_size):
        return
    raise TooFewAnswers(
        f"{len(left)} of {request.roster_size} sites are left; the noise of "
        f"'{plan.release.name}' was shared out so that "
        f"{least_honest(noise, request.roster_size)} are needed",
        hint="Run again later: the sites that are there begin anew.",
    )


def check_completeness(plan: Plan, roster: tuple[str, ...], lost: tuple[Loss, ...]) -> None:
    """Ends a run that has lost more sites than the study allows."""
    share = len(roster) / len(plan.roster)
    if roster and share >= plan.inquiry.least_completeness:
        return
    told = "; ".join(f"{loss.site}: {loss.reason}" for loss in lost[:5])
    more = f"; and {len(lost) - 5} more" if len(lost) > 5 else ""
    message = (
        f"{len(roster)} of {len(plan.roster)} eligible sites answered; the study demands "
        f"{plan.inquiry.least_completeness:.0%}. {told}{more}"
    )
    if all(loss.refused for loss in lost):
        hint = "Ask for what the sites' policies allow, or mend them"
        inside = "" if plan.release.laboratory_only else _INSIDE
        raise Refused(message, hint=f"{hint}{inside}.")
    in_time = any(loss.reason in _TOO_LATE for loss in lost)
    later = "Run again later, or with a longer --timeout."
    raise TooFewAnswers(message, hint=later if in_time else "Mend the sites, or build them anew.")
