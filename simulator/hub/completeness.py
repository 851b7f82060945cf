"""Whether enough sites are left for a run to go on."""

from __future__ import annotations

from simulator.errors import Refused, TooFewAnswers
from simulator.hub.exchanging import Loss
from simulator.hub.planner import Plan
from simulator.hub.wire import Lost
from simulator.messages.requests import RoundRequest, Trouble
from simulator.privacy.release import least_honest

# What a longer deadline may mend.
_TOO_LATE = {str(Lost.SILENT), str(Trouble.DEADLINE)}
# What else can be done where all sites refuse, except in the laboratory itself.
_NAMED = 3
_REASONS = 4
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
    message = (
        f"{len(roster)} of {len(plan.roster)} eligible sites answered; the study demands "
        f"{plan.inquiry.least_completeness:.0%}. {_by_reason(lost)}"
    )
    if all(loss.refused for loss in lost):
        raise Refused(message, hint=_how_to_ask(plan, lost))
    reasons = {loss.reason for loss in lost}
    if reasons & _TOO_LATE:
        hint = "Run again later, or with a longer --timeout."
    elif str(Lost.CRASHED) in reasons:
        hint = "Run again: its sites are started anew."
    else:
        hint = "Mend the sites, or build them anew."
    raise TooFewAnswers(message, hint=hint)


def _by_reason(lost: tuple[Loss, ...]) -> str:
    """Who was lost, those with one reason together, a few of them by name."""
    sites: dict[str, list[str]] = {}
    for loss in lost:
        sites.setdefault(loss.reason, []).append(loss.site)
    told = []
    for reason, names in sites.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        told.append(f"{', '.join(names[:_NAMED])}{more}: {reason}")
    rest = f"; and {len(told) - _REASONS} other reasons" if len(told) > _REASONS else ""
    return "; ".join(told[:_REASONS]) + rest


def _how_to_ask(plan: Plan, lost: tuple[Loss, ...]) -> str:
    """What else can be done where all who were lost refuse."""
    if plan.release.noise is not None and any("budget" in loss.reason for loss in lost):
        return (
            "Ask with a smaller --epsilon, with --noise laplace, or again what was asked before; "
            f"`cohortium ledger {lost[0].site}` shows what was spent."
        )
    inside = "" if plan.release.laboratory_only else _INSIDE
    return f"Ask for what the sites' policies allow, or mend them{inside}."
