"""Whether the hazard ratios between arms differ from level to level of a subgroup variable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.aggregates.survival import SurvivalTable
from simulator.statistics.chi_squared import ChiSquared, chi_squared
from simulator.statistics.cox import CoxFit, cox, stratified_cox
from simulator.statistics.partial_likelihood import Ties


@dataclass(frozen=True, eq=False)
class SubgroupFit:
    """The arms compared within each level of a subgroup variable.

    Attributes:
        levels: A Cox model for each level, in the tables' order: its own ratios, its own baseline.
        common: One model over all levels: the same ratios in each, its own baseline for each.
        interaction: The likelihood ratio test that the ratios are the same in all levels.
    """

    levels: tuple[CoxFit, ...]
    common: CoxFit
    interaction: ChiSquared


def subgroup_fit(
    tables: Sequence[SurvivalTable], *, reference: str | None = None, ties: Ties = "efron"
) -> SubgroupFit:
    """Fits each level for itself and all levels with common ratios, and compares the two.

    The test is 2 (sum of the levels' log partial likelihoods - that of the stratified model), which
    with large samples is chi-squared with (levels - 1)(arms - 1) degrees of freedom if arm and
    level do not interact (Kalbfleisch & Prentice 1980; Wang et al. 2007). An arm that a level
    cannot compare with another (nobody of it at risk at another's event) takes no degree of freedom
    there. Where a level has no finite ratio, its likelihood is the limit, and p is only rough.

    Args:
        tables: A table for each level, all with the same arms in the same order; levels share no
            patient.
        reference: An arm; None takes the first.
        ties: As for `cox`.

    Raises:
        ValueError: There is no level, their arms differ, there is no such arm, or a count is
            negative.
        ArithmeticError: Newton's method did not settle.
    """
    common = stratified_cox(tables, reference=reference, ties=ties)
    levels = tuple(cox(table, reference=reference, ties=ties) for table in tables)
    gain = 2.0 * (sum(fit.log_likelihood for fit in levels) - common.log_likelihood)
    free = sum(fit.score.degrees_of_freedom for fit in levels)
    free -= common.score.degrees_of_freedom
    return SubgroupFit(levels, common, chi_squared(max(gain, 0.0), free))
