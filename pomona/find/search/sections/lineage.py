"""Which model was made from which, and what each change gained."""

from collections.abc import Sequence
from typing import Any

from pomona.find.search.yardstick import Yardstick
from pomona.fit.sections.scores import score_format
from pomona.fit.trials.trial import Trial
from pomona.foundation.report import node, tree


def lineage_section(trials: Sequence[Trial], yardstick: Yardstick) -> list[dict[str, Any]]:
    """The items of the section: the family tree of all trials."""
    nodes = [
        node(
            trial.number,
            trial.parents[0] if trial.parents else None,
            f"{trial.number}: {trial.mutation}",
            trial.values.get(yardstick.metric),
            _detail(trial),
        )
        for trial in trials
    ]
    better = "higher" if yardstick.greater_is_better else "lower"
    caption = (
        f"{yardstick.metric} on validation, and its gain over the model that each was made from. "
        "Gains of single trainings hold noise; those of the leaders hold more luck than others."
    )
    return [tree(nodes, format=score_format(yardstick.metric), better=better, caption=caption)]


def _detail(trial: Trial) -> str:
    if trial.state != "completed":
        return f"{trial.state}: {trial.attributes.get('reason', '')}"
    parts = [f"{trial.attributes['parameters']} parameters"] if "parameters" in trial.attributes else []
    inherited = trial.attributes.get("inherited")
    if inherited:
        parts.append(f"{inherited:.0%} of its weights inherited")
    return ", ".join(parts)
