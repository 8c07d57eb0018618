"""What was found, in a plain sentence or two."""

from collections.abc import Sequence

from pomona.question.stress.statistics.finding import Finding

MOST_NAMED = 3


def sentence(found: Sequence[Finding], *, models: int) -> str:
    """The finding over all stresses: whether the seed decides more than the clean score shows, and where."""
    wide = sorted((one for one in found if one.is_underspecified), key=lambda one: one.p_adjusted)
    asked = f"{len(found)} stresses" if len(found) > 1 else f"the stress {found[0].name}"
    if not wide:
        return (
            f"On {asked} the {models} models spread no further than the clean score and the luck of the "
            "examples explain: underspecification was not found, which does not show that there is none."
        )
    named = "; ".join(f"{one.name} ({_times(one)})" for one in wide[:MOST_NAMED])
    more = f" and {len(wide) - MOST_NAMED} more" if len(wide) > MOST_NAMED else ""
    return (
        f"On {len(wide)} of {asked} the seed decides more than the clean score shows: {named}{more}. "
        "Models that pass the same test behave otherwise here; a clean score cannot choose among them."
    )


def _times(finding: Finding) -> str:
    low, high = finding.ratio.low, finding.ratio.high
    ends = f"{low:.2g} to {high:.2g}" if high is not None else f"at least {low:.2g}"
    return f"{ends} times the clean spread"
