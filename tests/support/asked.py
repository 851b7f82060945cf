"""Makes a drawn question into what a user would have written: a study, or a cohort."""

from __future__ import annotations

from simulator.language.study import Analyses, Inquiry, NamedCohort, Question, Study


def asked(question: Question) -> Inquiry:
    """The question as a study, or as a cohort where it has no arms."""
    if not question.arms:
        return NamedCohort("drawn", 1, "A drawn cohort", question)
    return Study("drawn", 1, "A drawn study", question, Analyses((1,), question.arms[0].name))
