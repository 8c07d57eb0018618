"""What the report on uncertainty says in words, and which methods it draws."""

import pytest

from pomona.foundation.report.reading import check_section
from pomona.question.uncertainty.sections.calibration import shown
from pomona.question.uncertainty.sections.cost import cost_section
from pomona.question.uncertainty.sections.outside import outside_section
from pomona.question.uncertainty.sections.scores import finding, scores_section


def one(nll, gain=None, seconds=0.1):
    row = {"nll": nll, "brier": nll / 2, "valid": {"nll": nll}, "seconds_per_1000": seconds, "steps": 10}
    row |= {"parameters": 10, "flops": 20.0, "fit_seconds": 1.0}
    if gain is not None:
        row |= {"nll_gain": gain, "nll_gain_interval": [gain - 0.05, gain + 0.05]}
    return row


@pytest.mark.parametrize(
    ("gain", "said"), [(0.2, "more than the luck of the examples"), (0.01, "may be the luck")]
)
def test_a_gain_is_called_one_only_where_its_interval_is_above_0(gain, said):
    text = finding({"deterministic": one(0.5), "swag": one(0.5 - gain, gain, 0.4)}, "swag")
    assert said in text
    assert "4 times as much time" in text


def test_without_the_plain_network_nothing_is_compared():
    assert finding({"swag": one(0.4)}, "swag").count(".") == 1


def test_the_chosen_method_is_marked_and_all_are_there():
    rows = {"deterministic": one(0.5), "swag": one(0.3, 0.2), "focal": one(0.4, 0.1)}
    items = scores_section("classify", rows, "swag")
    check_section({"title": "t", "lead": "", "items": items}, "test")
    listed = items[2]
    assert [row[0] for row in listed["rows"]] == ["swag", "focal", "deterministic"]
    assert listed["highlight"] == 0


def test_the_front_of_costs_has_no_method_that_a_cheaper_one_beats():
    rows = {"a": one(0.5, seconds=1), "b": one(0.4, seconds=2), "c": one(0.45, seconds=3)}
    assert cost_section("classify", rows)[0]["front"] == ["a", "b"]


def test_outside_tables_are_in_order_of_auroc():
    scores = {"entropy": {"auroc": 0.7, "aupr": 0.6, "fpr95": 0.5}}
    better = {"entropy": {"auroc": 0.9, "aupr": 0.6, "fpr95": 0.5}}
    (item,) = outside_section({"glyphs": {"a": scores, "b": better}})
    assert [row[0] for row in item["rows"]] == ["b", "a"]


def test_methods_that_say_the_same_are_drawn_once():
    def cells(nll):
        return [{"values": {"nll": nll}, "valid": {"nll": nll}}]

    found = {"conformal": cells(0.5), "deterministic": cells(0.5), "swag": cells(0.4)}
    assert shown(found, "swag") == ["deterministic", "swag"]
