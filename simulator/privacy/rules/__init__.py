"""Rules of release for counts: those of other systems, and the bare ones."""

from simulator.privacy.rules.registry import RULES
from simulator.privacy.rules.rule import Cells, Repeats, Rule

__all__ = ["RULES", "Cells", "Repeats", "Rule"]
