"""What was found, and a table of all stresses."""

from collections.abc import Mapping, Sequence
from typing import Any

from pomona.fit.sections.scores import score_format
from pomona.foundation.report import number, numbers, table, text
from pomona.question.stress.statistics.finding import Finding

CAPTION = (
    "Deviations are over models. The luck of the examples is what models that are equally good in truth "
    "would differ by on so many examples; the seed's part is what is left. The ratio compares it with the "
    "clean score's, within a 95 % interval from resampled models and examples. The scaled ratio allows for "
    "a score near one half, or a large error, spreading more of itself. p asks for both, adjusted by Holm "
    "for the number of stresses."
)


def finding_section(
    found: Sequence[Finding], clean: Mapping[str, Any], *, metric: str, models: int, sentence: str
) -> list[dict[str, Any]]:
    """The items of the section: big figures, the sentence, and a row for each stress."""
    form = score_format(metric)
    num_wide = sum(one.is_underspecified for one in found)
    figures = numbers(
        number(f"clean {metric}", clean["mean"], format=form, note=f"mean of {models} models"),
        number("clean deviation", clean["sd"], format=form, note="over models"),
        number("decided by the seed", num_wide, format="integer", note=f"of {len(found)} stresses"),
    )
    columns = [
        "stress",
        ("examples", "integer"),
        (metric, form),
        ("deviation", form),
        ("by the seed", form),
        ("by the examples' luck", form),
        ("ratio", "number"),
        ("at least", "number"),
        ("at most", "number"),
        ("scaled ratio", "number"),
        ("p, adjusted", "number"),
        ("correlation with clean", "number"),
        "found",
    ]
    ordered = sorted(found, key=lambda one: (one.p_adjusted, one.p))
    return [figures, text(sentence), table(columns, [_row(one) for one in ordered], caption=CAPTION)]


def _row(one: Finding) -> list[Any]:
    return [
        one.name,
        one.num_examples,
        one.mean,
        one.sd,
        one.seed_sd,
        one.noise_sd,
        one.ratio.value,
        one.ratio.low,
        one.ratio.high,
        one.scaled_ratio,
        one.p_adjusted,
        one.spearman,
        "underspecified" if one.is_underspecified else "",
    ]
