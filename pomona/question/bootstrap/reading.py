"""What was found, in plain sentences."""

from pomona.question.bootstrap.comparison import PARTS, Comparison
from pomona.question.bootstrap.gap import CONVERGED, Gap

SMALL = 0.05
"""A gap in soft error up to which the article's claim, that both worlds stay close, counts as borne out."""

LEARNED = 0.2
"""Part of its first error that the ideal world must have shed before closeness says anything."""


def gap_sentences(gap: Gap) -> list[str]:
    """What the gap of one size says."""
    return [_end_sentence(gap), _verdict(gap)]


def verdict(gap: Gap) -> str:
    """One word: "small", "large", "unsure", or "early" where the worlds have not learned enough to tell."""
    start, end = gap.ideal.mean[0], gap.ideal.mean[gap.end]
    if end > (1 - LEARNED) * start:
        return "early"
    low, high = gap.gap.low[gap.end], gap.gap.high[gap.end]
    if low >= -SMALL and high <= SMALL:
        return "small"
    return "large" if low > SMALL or high < -SMALL else "unsure"


def _end_sentence(gap: Gap) -> str:
    left = 100 * gap.train_error.mean[gap.end]
    reached = (
        f"the train error came down to {100 * CONVERGED:.0f} % after {gap.end_step} steps"
        if gap.has_converged
        else f"the train error was still {left:.1f} % after all {gap.end_step} steps"
    )
    return (
        f"With {gap.size} examples used again and again {reached}. There the soft test error is "
        f"{gap.real.mean[gap.end]:.3f}, and {gap.ideal.mean[gap.end]:.3f} with fresh examples: a gap of "
        f"{gap.gap.mean[gap.end]:+.3f} "
        f"(95 % of {gap.gap.low[gap.end]:+.3f} to {gap.gap.high[gap.end]:+.3f}). "
        f"Up to there the two were at most {gap.largest:.3f} apart."
    )


def _verdict(gap: Gap) -> str:
    so_far = "The gap is" if gap.has_converged else "So far the gap is"
    verdicts = {
        "early": f"By then the ideal world itself had hardly learned (from {gap.ideal.mean[0]:.2f} to "
        f"{gap.ideal.mean[gap.end]:.2f}): the network learns its examples by heart before it learns the "
        "task, and the gap says little. More examples or a slower fit to them would.",
        "small": f"{so_far} small (within {SMALL}): how well this pipeline generalises is how fast it "
        "learns from fresh examples. What makes the ideal curve fall faster will help.",
        "large": f"{so_far} larger than {SMALL}: fresh examples teach what these, used again, do not. More "
        "data or more augmentation will help more than a network that learns faster.",
        "unsure": f"The interval reaches across {SMALL}: these seeds cannot tell whether the gap is small. "
        "More --seeds or --test-examples would.",
    }
    return verdicts[verdict(gap)]


REASONS = {
    "speed": ("it learns faster from fresh examples", "it learns more slowly from fresh examples"),
    "time": ("its own examples take longer to fit", "its own examples are fitted sooner"),
    "gap": ("the gap is smaller", "the gap is larger"),
}
"""Part of a change → what it means when it lowers the error, and when it raises it."""


def comparison_sentence(name: str, comparison: Comparison) -> str:
    """What a change of the pipeline does for one size of the real world, and why."""
    old, new = _where(comparison.old_step, comparison.has_converged[0]), comparison.new_step
    real, interval = comparison.real.mean, comparison.real.interval
    parts = ", ".join(f"{part} {getattr(comparison, part).mean:+.3f}" for part in PARTS)
    told = (
        f"With {comparison.size} examples, {name} is read {_where(new, comparison.has_converged[1])} instead "
        f"of {old} and changes the real world's soft error by {real:+.3f} "
        f"(95 % of {interval.low:+.3f} to {interval.high:+.3f}; {parts})"
    )
    if not comparison.reason:
        return f"{told}: these seeds cannot tell whether it helps."
    why = REASONS[comparison.reason][int(real > 0)]
    return f"{told}. It {'hurts' if real > 0 else 'helps'} mainly because {why}."


def _where(step: int, has_converged: bool) -> str:
    return (
        f"after {step} steps"
        if has_converged
        else f"after all {step} steps, not yet at {100 * CONVERGED:.0f} %,"
    )
