"""Commented templates of a study and a cohort, which can be checked and run as they stand.

Below, ``#? key`` stands for what the key means. A line with ``#`` and no blank after it begins a
part that may be left out; its lines go on with ``#`` and two blanks at least.
"""

from __future__ import annotations

import re
import textwrap
from typing import Final

from simulator.language.schema_keys import EXPLAINED

_EXPLAIN: Final = re.compile(r"^([ #]*)#\? (.+)$")
_WIDTH: Final = 80

_HEAD: Final = """\
# `cohortium check FILE` finds mistakes, `cohortium describe FILE` says in plain
# English what it asks, `cohortium {command} FILE` {does} it.
#
# A part that begins with `#` and no blank is left out; take the `#` of all its
# lines away to have it.
#
# For help while typing, save what `cohortium schema` prints beside this file as
# study.schema.json and let the first line here be
# `# yaml-language-server: $schema=study.schema.json`.

#? {kind}
{kind}: {name}
#? version
version: 1
#? title
title: {title}
#? based on
#based on: breast-cancer-liver-metastases
"""

_COHORT: Final = """\

#? codes
codes:
  liver metastasis: [ICD10CM C78.7 with descendants]
  breast cancer:
    #? include
    include: [ICD10CM C50 with descendants]
    #? exclude
    #exclude: [ICD10CM C50.9 with descendants]
  tumour embolization: [CPT4 37243]
  radioembolization: [CPT4 79445, HCPCS S2095, HCPCS C2616]
  bilirubin: [LOINC 1975-2]
  capecitabine: [RxNorm 194000]
  in hospital: [Visit IP]

#? index
index:
  #? procedure
  procedure: tumour embolization
  #? occurrence
  occurrence: first
  #? with
  with:
    #? condition
    - condition: liver metastasis
      #? days
      days: any to 0
      #? relative to
      #relative to: event

#? steps
steps:
  #? step
  - step: embolization from January 2016 to July 2024
    #? require
    #? dates
    require: {dates: 2016-01-01 to 2024-07-31}
  - step: breast cancer diagnosed by then
    require: {condition: breast cancer, days: any to 0}
  - step: not recorded as dead before
    #? none
    #? death
    require: {none: [{death: any, days: any to -1}]}
  #? age
  #- step: adults
  #  require: {age: 18 to any}
  #? sex
  #- step: women
  #  require: {sex: female}
  #? observed
  #- step: observed for three months before
  #  require: {observed: -90 to 0}
  #? measurement
  #? value
  #- step: some bilirubin of at most 10 mg/dL by then
  #  require: {measurement: bilirubin, value: at most 10 mg/dL, days: any to 0}
  #? last value
  #? first value
  #- step: neither first nor last bilirubin until then above 20 mg/dL
  #  require:
  #    none:
  #      - {measurement: bilirubin, first value: above 20 mg/dL, days: any to 0}
  #      - {measurement: bilirubin, last value: above 20 mg/dL, days: any to 0}
  #? drug
  #? count
  #? all
  #? any
  #? visit
  #? years
  #- step: every one of the first list, or any of the second
  #  require:
  #    any:
  #      - all:
  #          - {drug: capecitabine, days: any to -1, count: at least 2 days}
  #          - {visit: in hospital, years: -2 to 0}
  #      - any: [{condition: liver metastasis, days: any to 0}]
"""

_ARMS: Final = """\

#? arms
arms:
  radioembolization: {procedure: radioembolization, days: 0}
  another embolization:
    none: [{procedure: radioembolization, days: 0}]

#? outcome
outcome: death
"""

_FOLLOW_UP: Final = """\

#? follow up
follow up:
  #? months
  months: 72
  #? censored at
  #censored at: end of observation
  #? exit
  #exit: [{procedure: tumour embolization, days: 14 to any}]
"""

_ANALYSES: Final = """\

#? analyses
analyses:
  #? survival at months
  survival at months: [12, 24, 36]
  #? mean survival to month
  #mean survival to month: 36
  #? reference arm
  #reference arm: another embolization
"""

_WATCHED: Final = """\

#? follow up
#? months
#follow up: {months: 60}
"""

_SUBGROUPS: Final = """\

#? subgroups
#subgroups:
#  age at index:
#    under 60: {age: any to 59}
#    60 and over: {age: 60 to any}
"""

_END: Final = """\

#? lines
#lines: [{procedure: tumour embolization}, {drug: capecitabine}]
#? least completeness
#least completeness: 0.9
"""

_REPORTED: Final = """\

#? reported
#reported:
#  #? source
#  source: the journal, the year and the page
#  #? patients
#  patients: 100
#  arms:
#    radioembolization:
#      #? median months
#      median months: 30
#      #? survival
#      survival: {12: 0.8, 36: 0.4}
"""


def study_template(name: str) -> str:
    """A study that runs on the shipped network, every key explained.

    Args:
        name: The study's name.
    """
    title = "Survival after embolization of liver metastases, by its kind"
    head = _HEAD.format(kind="study", name=name, title=title, command="run", does="runs")
    compared = _ARMS + _FOLLOW_UP + _ANALYSES + _SUBGROUPS
    return _explained(head + _COHORT + compared + _END + _REPORTED)


def cohort_template(name: str) -> str:
    """A cohort that can be counted on the shipped network, every key explained.

    Args:
        name: The cohort's name.
    """
    title = "Breast cancer that has spread to the liver, embolized"
    head = _HEAD.format(kind="cohort", name=name, title=title, command="count", does="counts")
    return _explained(head + _COHORT + _WATCHED + _SUBGROUPS + _END)


def _explained(text: str) -> str:
    """The template with what each key means, in comments of at most 80 columns."""
    return "\n".join(line for written in text.split("\n") for line in _line(written))


def _line(written: str) -> list[str]:
    match = _EXPLAIN.match(written)
    if match is None:
        return [written]
    said = f"{match[2]}: {EXPLAINED[match[2]]}"
    indent = f"{match[1]}# "
    return textwrap.wrap(said, _WIDTH, initial_indent=indent, subsequent_indent=indent)
