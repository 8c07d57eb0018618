"""What was found as plain data, for `--json`."""

from collections.abc import Mapping
from typing import Any

from pomona.question.bootstrap.comparison import PARTS, Change, Comparison
from pomona.question.bootstrap.gap import Gap
from pomona.question.bootstrap.reading import comparison_sentence, gap_sentences, verdict


def sizes_json(gaps: Mapping[int, Gap]) -> dict[str, Any]:
    """For every size the numbers where the gap is read, what they say, and the curves."""
    return {str(size): _gap_json(gap) for size, gap in gaps.items()}


def comparisons_json(name: str, comparisons: Mapping[int, Comparison]) -> dict[str, Any]:
    """For every size what a change does, in all and by part."""
    return {str(size): _comparison_json(name, one) for size, one in comparisons.items()}


def _gap_json(gap: Gap) -> dict[str, Any]:
    end = gap.end
    return {
        "steps": gap.end_step,
        "real": float(gap.real.mean[end]),
        "ideal": float(gap.ideal.mean[end]),
        "gap": float(gap.gap.mean[end]),
        "gap_interval": [float(gap.gap.low[end]), float(gap.gap.high[end])],
        "train_error": float(gap.train_error.mean[end]),
        "has_converged": gap.has_converged,
        "largest_gap": gap.largest,
        "verdict": verdict(gap),
        "sentences": gap_sentences(gap),
        "curves": {"steps": gap.steps.tolist()}
        | {
            f"{name}{suffix}": getattr(getattr(gap, name), part).tolist()
            for name in ("real", "ideal", "gap", "train_error")
            for suffix, part in (("", "mean"), ("_low", "low"), ("_high", "high"))
        },
    }


def _comparison_json(name: str, comparison: Comparison) -> dict[str, Any]:
    parts = {part: _change_json(getattr(comparison, part)) for part in ("real", *PARTS)}
    return {
        "steps": comparison.new_step,
        "has_converged": comparison.has_converged[1],
        **parts,
        "reason": comparison.reason,
        "sentence": comparison_sentence(name, comparison),
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {"change": change.mean, "interval": [change.interval.low, change.interval.high]}
