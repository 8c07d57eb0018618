"""The best models after their trainings with fresh seeds."""

from collections.abc import Sequence
from typing import Any

from pomona.find.search.finalists import Finalist
from pomona.find.search.yardstick import Yardstick
from pomona.fit.sections.scores import score_format
from pomona.foundation.report import number, numbers, table, text


def finalists_section(finalists: Sequence[Finalist], yardstick: Yardstick) -> list[dict[str, Any]]:
    """The items of the section: what is expected of each finalist, its score in the search, and its mean over
    fresh seeds."""
    metric = yardstick.metric
    form = score_format(metric)
    rows = []
    for finalist in finalists:
        again = [repeat.values.get(metric) for repeat in finalist.repeats]
        spread = [value for value in again if value is not None]
        rows.append(
            [
                str(finalist.trial.number),
                finalist.standing and finalist.standing.mean,
                finalist.mean(metric) if again else None,
                min(spread, default=None),
                max(spread, default=None),
                len(again),
                finalist.trial.values.get(metric),
                finalist.trial.attributes.get("parameters"),
            ]
        )
    columns = [
        "trial",
        (f"expected {metric}", form),
        ("mean over fresh seeds", form),
        ("lowest", form),
        ("highest", form),
        ("trainings", "integer"),
        (f"{metric} in the search", form),
        ("parameters", "integer"),
    ]
    said = (
        "The best of many noisy scores is too good on average. So the best models were trained again with "
        "fresh seeds, from the weights that they inherited: each once, then the one that led. The winner is "
        "the one of which most is to be expected on validation in the light of all its trainings."
    )
    finals = table(columns, rows, highlight=0, caption="On validation data, the winner first.")
    return [*_winner(finalists[0], metric, form), finals, text(said)]


def _winner(winner: Finalist, metric: str, form: str) -> list[dict[str, Any]]:
    standing = winner.standing
    if standing is None:
        return []
    return [
        numbers(
            number(
                f"expected {metric} of the winner",
                standing.mean,
                format=form,
                interval=standing.interval,
                note=f"on validation, {standing.num_seeds} trainings",
            ),
            number("scored in the search", standing.raw, format=form, note="with the luck of being the best"),
        )
    ]
