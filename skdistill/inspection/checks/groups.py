"""Checks of how models treat groups."""

from __future__ import annotations

from skdistill.inspection.checks.evidence import Evidence
from skdistill.inspection.groups import GroupGap, error_gaps, fidelity_gaps

_MOST_SHOWN = 3


def fidelity_differs(evidence: Evidence) -> str:
    """SKD107: compare the disagreement with the teacher, group by group."""
    teacher, student = evidence.teacher_labels, evidence.student_labels
    if evidence.groups is None or teacher is None or student is None:
        return ""
    return _text(fidelity_gaps(teacher, student, evidence.groups))


def teacher_is_biased(evidence: Evidence) -> str:
    """SKD108: compare the teacher's errors, group by group, and say what the student repeats."""
    gaps = _gaps(evidence, evidence.teacher_labels)
    if not gaps:
        return ""
    of_student = {(gap.group, gap.rate) for gap in _gaps(evidence, evidence.student_labels)}
    repeated = sum((gap.group, gap.rate) in of_student for gap in gaps)
    return f"{_text(gaps)}; the student repeats {repeated} of {len(gaps)}"


def student_is_biased(evidence: Evidence) -> str:
    """SKD109: compare the student's errors, group by group, where the teacher's are alike."""
    of_teacher = {(gap.group, gap.rate) for gap in _gaps(evidence, evidence.teacher_labels)}
    gaps = _gaps(evidence, evidence.student_labels)
    return _text(tuple(gap for gap in gaps if (gap.group, gap.rate) not in of_teacher))


def _gaps(evidence: Evidence, predicted: object) -> tuple[GroupGap, ...]:
    if evidence.groups is None or evidence.labels is None or predicted is None:
        return ()
    return error_gaps(evidence.labels, predicted, evidence.groups)  # type: ignore[arg-type]


def _text(gaps: tuple[GroupGap, ...]) -> str:
    texts = [str(gap) for gap in gaps[:_MOST_SHOWN]]
    if len(gaps) > _MOST_SHOWN:
        texts.append(f"{len(gaps) - _MOST_SHOWN} more")
    return "; ".join(texts)
