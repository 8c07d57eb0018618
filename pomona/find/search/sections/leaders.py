"""What is to be expected of the leading models, and how much of their scores was luck."""

from collections.abc import Mapping
from typing import Any

from pomona.find.search.leaders import Standing
from pomona.find.search.yardstick import Yardstick
from pomona.fit.sections.scores import score_format
from pomona.foundation.report import line, series, table, text

NUM_SHOWN = 12


def leaders_section(standings: Mapping[str, Standing], yardstick: Yardstick) -> list[dict[str, Any]]:
    """The items of the section: what is expected of each leading model, with its interval, and what it scored
    when it was found."""
    sign = 1.0 if yardstick.greater_is_better else -1.0
    ranked = sorted(standings.values(), key=lambda one: (-sign * one.mean, one.trial))[:NUM_SHOWN]
    if not ranked:
        return []
    form, metric = score_format(yardstick.metric), yardstick.metric
    rows = [[str(one.trial), one.mean, *_ends(one), one.raw, one.num_seeds] for one in ranked]
    columns = [
        "trial",
        (f"expected {metric}", form),
        ("from", form),
        ("to", form),
        ("scored when found", form),
        ("trainings", "integer"),
    ]
    caption = "On validation, the model first of which most is expected; from and to hold 95 of 100 cases."
    places = list(range(1, len(ranked) + 1))
    ends = [_ends(one) for one in ranked]
    drawn = line(
        [
            series(
                "expected",
                places,
                [one.mean for one in ranked],
                low=[low for low, _ in ends],
                high=[high for _, high in ends],
            ),
            series("scored when found", places, [one.raw for one in ranked]),
        ],
        "place",
        f"{metric} on validation",
        y_format=form,
        caption="Where the score when found lies beyond the expected one, that was luck.",
    )
    return [drawn, table(columns, rows, caption=caption), text(_said(ranked[0]))]


def _ends(one: Standing) -> tuple[float | None, float | None]:
    return one.interval or (None, None)


def _said(first: Standing) -> str:
    if first.interval is None:
        return "No model was trained twice: how much of a score is luck is not known."
    return (
        "The best of many noisy scores is too good on average (the winner's curse). So leading models were "
        "trained again with fresh seeds, which tells how noisy a score is, and every mean is drawn towards "
        "that of the better half of all models, the more the fewer trainings it rests on. The interval tells "
        "how a new training would do on these validation examples; for other data, see the score on test."
    )
