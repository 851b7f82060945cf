"""Named sets of codes: a code alone, what stands below it, and what is excluded."""

from __future__ import annotations

from tests.support.asking import CODES, Site


def test_a_code_means_itself_alone(site: Site) -> None:
    site.fits(
        "{condition: exactly}",
        """
        record                                 | fits | because
        index on 0, condition ICD10CM C50 on 1 | yes  | the code itself
        index on 0, condition ICD10CM C50.9 on 1 | no | one below it
        index on 0, metastasis on 1            | no   | another code
        index on 0                             | no   | nothing recorded
        """,
        codes=CODES + "  exactly: [ICD10CM C50]",
    )


def test_descendants_are_all_below_at_any_depth(site: Site) -> None:
    site.fits(
        "{condition: below}",
        """
        record                                     | fits | because
        index on 0, condition ICD10CM C50.9 on 1   | yes  | the code itself
        index on 0, condition ICD10CM C50.911 on 1 | yes  | below C50.9
        index on 0, condition ICD10CM C50.1 on 1   | no   | beside it
        index on 0, condition ICD10CM C50 on 1     | no   | above it
        """,
        codes=CODES + "  below: [ICD10CM C50.9 with descendants]",
    )


def test_an_exclusion_takes_away_what_it_names_and_no_more(site: Site) -> None:
    site.fits(
        "{condition: part}",
        """
        record                                     | fits | because
        index on 0, condition ICD10CM C50.1 on 1   | yes  | below C50 and not excluded
        index on 0, condition ICD10CM C50.9 on 1   | no   | excluded
        index on 0, condition ICD10CM C50.911 on 1 | no   | excluded as a descendant
        index on 0, tumour on 1, condition ICD10CM C50.1 on 1 | yes | one event is enough
        """,
        codes=CODES
        + """
  part:
    include: [ICD10CM C50 with descendants]
    exclude: [ICD10CM C50.9 with descendants]""",
    )


def test_an_exclusion_without_descendants_leaves_what_is_below(site: Site) -> None:
    site.fits(
        "{condition: part}",
        """
        record                                     | fits | because
        index on 0, condition ICD10CM C50.9 on 1   | no   | excluded
        index on 0, condition ICD10CM C50.911 on 1 | yes  | only the code above it is excluded
        """,
        codes=CODES
        + """
  part:
    include: [ICD10CM C50 with descendants]
    exclude: [ICD10CM C50.9]""",
    )


def test_the_standard_concept_and_the_source_concept_count_alike(site: Site) -> None:
    site.fits(
        "{condition: either, count: exactly 1}",
        """
        record                                                | fits | because
        index on 0, condition SNOMED 254837009 / CPT4 100 on 1 | yes | the standard concept
        index on 0, condition SNOMED 100 / ICD10CM C50 on 1   | yes  | the source concept
        index on 0, condition SNOMED 254837009 / ICD10CM C50 on 1 | yes | both, and still one event
        index on 0, condition SNOMED 100 / ICD10CM C22 on 1   | no   | neither
        index on 0, condition unmapped on 1                   | no   | 0 is no concept
        """,
        codes=CODES + "  either: [SNOMED 254837009, ICD10CM C50]",
    )


def test_the_same_code_in_another_vocabulary_is_another_concept(site: Site) -> None:
    site.fits(
        "{procedure: hundred}",
        """
        record                                | fits | because
        index on 0, procedure CPT4 100 on 1   | yes  |
        index on 0, procedure SNOMED 100 on 1 | no   | the number is the same, the vocabulary not
        """,
        codes=CODES + "  hundred: [CPT4 100]",
    )


def test_a_code_that_the_site_does_not_know_gives_nothing(site: Site) -> None:
    site.fits(
        "{drug: partly known}",
        """
        record                             | fits | because
        index on 0, chemo on 1             | yes  | the known code works on its own
        index on 0, drug unmapped on 1     | no   | an unknown code does not stand for 0
        """,
        codes=CODES + "  partly known: [RxNorm 3639, RxNorm 99999999]",
    )
    site.fits(
        "{drug: unknown}",
        """
        record                 | fits | because
        index on 0, chemo on 1 | no   |
        index on 0             | no   |
        """,
        codes=CODES + "  unknown: [RxNorm 99999999 with descendants]",
    )


def test_any_takes_every_event_of_the_kind(site: Site) -> None:
    site.fits(
        "{drug: any}",
        """
        record                         | fits | because
        index on 0, chemo on 1         | yes  |
        index on 0, drug unmapped on 1 | yes  | also one without a concept
        index on 0, tumour on 1        | no   | a condition is not a drug
        """,
    )


def test_the_concept_0_stands_for_none_even_where_it_has_a_row(site: Site) -> None:
    site.fits(
        "{drug: none}",
        """
        record                         | fits | because
        index on 0, drug unmapped on 1 | no   | the standard's 0 is the lack of a concept
        """,
        codes=CODES + "  none: [None 0]",
    )
