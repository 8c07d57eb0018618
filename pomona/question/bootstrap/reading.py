"""What was found, in plain sentences."""

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
    reached = (
        f"the train error came down to {CONVERGED:.0%} after {gap.end_step} steps"
        if gap.has_converged
        else f"the train error was still {gap.train_error.mean[gap.end]:.1%} after all {gap.end_step} steps"
    )
    return (
        f"With {gap.size} examples used again and again {reached}. There the soft test error is "
        f"{gap.real.mean[gap.end]:.3f}, and {gap.ideal.mean[gap.end]:.3f} with fresh examples: a gap of "
        f"{gap.gap.mean[gap.end]:+.3f} (95 % of {gap.gap.low[gap.end]:+.3f} to {gap.gap.high[gap.end]:+.3f})."
    )


def _verdict(gap: Gap) -> str:
    verdicts = {
        "early": f"By then the ideal world itself had hardly learned (from {gap.ideal.mean[0]:.2f} to "
        f"{gap.ideal.mean[gap.end]:.2f}): the network learns its examples by heart before it learns the "
        "task, and the gap says little. More examples or a slower fit to them would.",
        "small": f"The gap is small (within {SMALL}): how well this pipeline generalises is how fast it "
        "learns from fresh examples. What makes the ideal curve fall faster will help.",
        "large": f"The gap is larger than {SMALL}: fresh examples teach what these, used again, do not. More "
        "data or more augmentation will help more than a network that learns faster.",
        "unsure": f"The interval reaches across {SMALL}: these seeds cannot tell whether the gap is small. "
        "More --seeds or --test-examples would.",
    }
    return verdicts[verdict(gap)]
