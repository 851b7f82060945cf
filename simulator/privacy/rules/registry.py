"""The rules that exist: the exact defaults of other systems, and the bare ones."""

from __future__ import annotations

from typing import Final

from simulator.privacy.rules.cell_key import CellKey
from simulator.privacy.rules.noised import (
    ClampedGaussian,
    GaussianFromZero,
    HashedShift,
    LaplaceAndRound,
    UniformShift,
)
from simulator.privacy.rules.rounding import (
    Midpoint,
    NextMultiple,
    RandomRound,
    RoundUp,
    ZeroThenNearest,
)
from simulator.privacy.rules.rule import Repeats, Rule
from simulator.privacy.rules.withholding import WithholdBelow, WithholdTable

# What breaks rules that give the same answer to the same question.
_DIFFERENCING: Final = "two questions that differ by one patient may show that patient"
_PROBING: Final = "joining known patients until the count goes up gives it back exactly"
_LOOKS_LIKE_NOBODY: Final = "a small count looks like nobody"

_SYSTEMS: Final = (
    Rule(
        name="i2b2",
        version=1,
        repeats=Repeats.FRESH,
        says=(
            "counts of 1 to 3 are shown as 0; others with normal noise of standard deviation 1.323",
            _LOOKS_LIKE_NOBODY,
            "averaging 30 answers gives a count back; the lock-out after 7 is not part of the rule",
        ),
        source=(
            "i2b2-core-server 1.8.3 (091a737), crc.properties: obfuscation.minimum.value 3, "
            "obfuscation.count.sigma 1.323"
        ),
        mechanism=GaussianFromZero(minimum=3, sigma=1.323),
    ),
    Rule(
        name="shrine",
        version=1,
        repeats=Repeats.FRESH,
        says=(
            "counts up to 10 are withheld, 0 too, and some up to 22; others are within 12",
            "averaging 22 answers gives the nearest multiple of 5 back",
        ),
        source=(
            "SHRINE, fork of January 2018 (7ce3fca), Obfuscator.scala and reference.conf: "
            "binSize 5, sigma 6.5, clamp 10"
        ),
        mechanism=ClampedGaussian(limit=10, bin=5, sigma=6.5, clamp=10),
    ),
    Rule(
        name="pic-sure",
        version=1,
        repeats=Repeats.SAME,
        says=(
            "counts below 10 are withheld, 0 too; others are within 3",
            "one shift for all counts of an answer: their differences are exact",
            "two questions with the same answer get the same shift",
        ),
        source="PIC-SURE 3.0.0 (1dda573), ObfuscationService.java: threshold 10, variance 3",
        mechanism=HashedShift(threshold=10, largest=3),
    ),
    Rule(
        name="leaf",
        version=1,
        repeats=Repeats.SAME,
        says=(
            "counts up to 10 are withheld, 0 too; others are within 10 and never themselves",
            "another question for the same patients gets another shift: averaging",
            "off as installed: both parts are taken as switched on",
        ),
        source=(
            "Leaf 3.11.4 (870ac23), appsettings.json and ObfuscationService.cs: "
            "threshold 10, noise from -10 to below 10"
        ),
        mechanism=UniformShift(limit=10, largest=10),
    ),
    Rule(
        name="ohdsi",
        version=1,
        repeats=Repeats.SAME,
        says=("counts of 1 to 4 are withheld; 0 and others are exact", _DIFFERENCING),
        source="OHDSI Strategus 1.4.0 and CohortMethod 6.0.2: minCellCount 5, written as -5",
        mechanism=WithholdBelow(threshold=5),
    ),
    Rule(
        name="pcornet",
        version=1,
        repeats=Repeats.SAME,
        says=("counts of 1 to 10 are withheld; 0 and others are exact", _DIFFERENCING),
        source="PCORnet policy, DataCommittee issue 8: cells of 11 or more, as with CMS",
        mechanism=WithholdBelow(threshold=11),
    ),
    Rule(
        name="datashield",
        version=1,
        repeats=Repeats.SAME,
        says=(
            "a table with a count of 1 or 2 is refused whole; others are exact",
            "a refused table of one cell tells that it holds 1 or 2",
            _DIFFERENCING,
        ),
        source="DataSHIELD dsBase 6.3.3 (fd1149e), zzz.R: nfilter.tab 3",
        mechanism=WithholdTable(least=3),
    ),
    Rule(
        name="bunny",
        version=1,
        repeats=Repeats.SAME,
        says=("counts below 10 are shown as 0; others go to tens", _LOOKS_LIKE_NOBODY, _PROBING),
        source=(
            "Hutch Bunny 1.8.1 (fa26107), obfuscation.py: "
            "LOW_NUMBER_SUPPRESSION_THRESHOLD 10, then ROUNDING_TARGET 10"
        ),
        mechanism=ZeroThenNearest(threshold=10, base=10),
    ),
    Rule(
        name="samply",
        version=1,
        repeats=Repeats.SAME,
        says=(
            "counts of 1 to 9 are shown as 10; others with Laplace noise of scale 3.6, in tens",
            "0 is shown as 0: one patient is told from nobody, so not differentially private",
            "noise is kept by count: equal counts get equal noise",
        ),
        source=(
            "samply/focus (2fc7515) and laplace-rs (b59db30): epsilon 0.28, sensitivity 1 for "
            "patients, rounding step 10, below 10 mode 1"
        ),
        mechanism=LaplaceAndRound(threshold=10, sensitivity=1.0, epsilon=0.28, base=10),
    ),
    Rule(
        name="codex",
        version=1,
        repeats=Repeats.SAME,
        says=("every count goes up to the ten above it, 0 to 10 and 10 to 20", _PROBING),
        source="codex-processes-ap2, issue 25: x - x mod 10 + 10",
        mechanism=NextMultiple(base=10),
    ),
    Rule(
        name="opensafely",
        version=1,
        repeats=Repeats.SAME,
        says=(
            "counts up to 7 are shown as 0; others go to fives",
            _LOOKS_LIKE_NOBODY,
            _PROBING,
        ),
        source="OpenSAFELY ehrQL 1.53.2 (350a1cc), measures: up to 7 to 0, then nearest 5",
        mechanism=ZeroThenNearest(threshold=8, base=5),
    ),
    Rule(
        name="acro",
        version=1,
        repeats=Repeats.SAME,
        says=(
            "counts below 10 are withheld, 0 too; others are exact",
            "the checks of totals, of dominance and by a person are not part of the rule",
            _DIFFERENCING,
        ),
        source="ACRO 1.0.1 (fe729ae), default.yaml: safe_threshold 10, zeros_are_disclosive",
        mechanism=WithholdBelow(threshold=10, smallest=0),
    ),
)

_BARE: Final = (
    Rule(
        name="round-up-10",
        version=1,
        repeats=Repeats.SAME,
        says=("counts go up to tens; 0 stays 0", _PROBING),
        source="the bare rule: ceil(x / 10) * 10",
        mechanism=RoundUp(base=10),
    ),
    Rule(
        name="suppress-10",
        version=1,
        repeats=Repeats.SAME,
        says=("counts of 1 to 9 are withheld; 0 and others are exact", _DIFFERENCING),
        source="the bare rule: 0 < x < 10 withheld",
        mechanism=WithholdBelow(threshold=10),
    ),
    Rule(
        name="random-round-3",
        version=1,
        repeats=Repeats.FRESH,
        says=(
            "counts go to a multiple of 3, up or down at random, right on average",
            "averaging 29 answers gives a count back",
        ),
        source="Statistics New Zealand, 2013 Census: multiples of 3 stay, others up with r / 3",
        mechanism=RandomRound(base=3),
    ),
    Rule(
        name="random-round-5",
        version=1,
        repeats=Repeats.FRESH,
        says=(
            "counts go to a multiple of 5, up or down at random, right on average",
            "averaging 89 answers gives a count back",
        ),
        source="the bare rule: multiples of 5 stay, others up with r / 5",
        mechanism=RandomRound(base=5),
    ),
    Rule(
        name="midpoint-6",
        version=1,
        repeats=Repeats.SAME,
        says=("counts of 1 to 6 are shown as 3, of 7 to 12 as 9, and so on; 0 stays 0", _PROBING),
        source="OpenSAFELY documentation, releasing files: ceil(x / 6) * 6 - 3 for x above 0",
        mechanism=Midpoint(width=6),
    ),
    Rule(
        name="cell-key",
        version=1,
        repeats=Repeats.SAME,
        says=(
            "counts are within 5, right on average; 1 to 3 are never shown; 0 stays 0",
            "the same patients get the same noise, whatever the question",
            "other questions with the same count get other noise: averaging over disjoint parts",
        ),
        source=(
            "the principle of the Australian Bureau of Statistics (Asghar & Kaafar 2020, arXiv "
            "1902.06414); the table is our own"
        ),
        mechanism=CellKey(keys=256, largest=5, small=3),
    ),
)

RULES: Final[dict[str, Rule]] = {rule.name: rule for rule in (*_SYSTEMS, *_BARE)}
"""By name: the exact defaults of other systems, then the bare rules."""
