"""Checks of what distillation brought."""

from __future__ import annotations

import numpy as np

from skdistill.inspection.bounds import upper_bound
from skdistill.inspection.checks.evidence import Evidence
from skdistill.inspection.evaluation import paired_gain

_STANDARD_ERRORS = 2.0
_LOOSE = 0.05  # of an upper bound above the share itself


def no_gain(evidence: Evidence) -> str:
    """SKD101: compare the hits of the student with those of its twin on hard labels."""
    y, student, hard = evidence.labels, evidence.student_labels, evidence.hard_label_predictions
    if y is None or student is None or hard is None:
        return ""
    gain = paired_gain((student == y).astype(np.int8) - (hard == y).astype(np.int8))
    if gain.z >= _STANDARD_ERRORS:
        return ""
    return (
        f"accuracy {100 * gain.mean:+.1f} points against the same student on labels alone, "
        f"{gain.z:.1f} standard errors, on {len(y):,} rows"
    )


def classes_never_predicted(evidence: Evidence) -> str:
    """SKD104: compare the labels of the rows with those that the student predicts."""
    student = evidence.student_labels
    reference = evidence.labels if evidence.labels is not None else evidence.teacher_labels
    if student is None or reference is None:
        return ""
    labels, counts = np.unique(reference, return_counts=True)
    absent = ~np.isin(labels, student)
    texts = [
        f"{label} ({count:,} of {len(reference):,} rows)"
        for label, count in zip(labels[absent].tolist(), counts[absent].tolist(), strict=True)
    ]
    return ", ".join(texts)


def at_edge(evidence: Evidence) -> str:
    """SKD106: look for numbers of which the largest or the smallest that was tried is best."""
    texts = []
    for name, values in evidence.searched.items():
        numbers = {
            v for v in values if isinstance(v, int | float | np.number) and not isinstance(v, bool)
        }
        best = evidence.search.best_params_.get(name)
        if len(numbers) < 3 or best not in numbers:
            continue
        for edge, text in ((min(numbers), "smallest"), (max(numbers), "largest")):
            if best == edge:
                texts.append(f"{name}={best!r} is the {text} of {len(numbers)} values")
    return "; ".join(texts)


def weak_teacher(evidence: Evidence) -> str:
    """SKD111: compare the teacher with a constant label."""
    y, teacher = evidence.labels, evidence.teacher_labels
    if y is None or teacher is None or not len(y):
        return ""
    labels, counts = np.unique(y, return_counts=True)
    constant = (y == labels[counts.argmax()]).astype(np.int8)
    gain = paired_gain((teacher == y).astype(np.int8) - constant)
    if gain.z >= _STANDARD_ERRORS:
        return ""
    return (
        f"accuracy {np.mean(teacher == y):.1%}, and {constant.mean():.1%} where every row has the "
        f"label {labels[counts.argmax()]}"
    )


def loose_bound(evidence: Evidence) -> str:
    """SKD112: compare the upper bound of the disagreement with the disagreement."""
    teacher, student = evidence.teacher_labels, evidence.student_labels
    if teacher is None or student is None or not len(teacher):
        return ""
    count = int((teacher != student).sum())
    share, bound = count / len(teacher), upper_bound(count, len(teacher))
    if bound - share <= _LOOSE:
        return ""
    return (
        f"on {len(teacher):,} rows the disagreement with the teacher is {share:.1%}, and up to "
        f"{bound:.1%} at 95 % confidence"
    )
