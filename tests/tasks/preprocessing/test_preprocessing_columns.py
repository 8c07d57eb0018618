"""Categories, dates and bags of words: the other columns of a table."""

import calendar
import datetime

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder

from pomona.tasks.preprocessing.bag import apply_bag, fit_bag
from pomona.tasks.preprocessing.categories import apply_categories, fit_categories
from pomona.tasks.preprocessing.dates import apply_dates, as_seconds, cycle_phases, date_formats, fit_dates


def objects(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


def test_levels_are_those_of_scikit_learn_in_another_order():
    values = objects(*"abcabcaab")
    step = fit_categories("c", values)
    assert step.settings["levels"] == ["a", "b", "c"]
    reference = OneHotEncoder(sparse_output=False).fit_transform(values[:, None])
    np.testing.assert_array_equal(apply_categories(step, {"c": values})["columns"], reference)


def test_rare_levels_share_other_and_unseen_ones_join_them():
    step = fit_categories("c", objects(*"aaabbc", None), max_levels=2)
    assert (step.settings["levels"], step.settings["other"], step.settings["missing"]) == (
        ["a", "b"],
        True,
        True,
    )
    rows = apply_categories(step, {"c": objects("a", "c", "new", None)})["columns"]
    assert rows.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_an_unseen_or_missing_level_is_zeros_where_training_had_none():
    step = fit_categories("c", objects("a", "b"))
    assert not apply_categories(step, {"c": objects("new", None)})["columns"].any()


def test_a_level_is_the_same_from_a_file_and_from_a_data_frame():
    step = fit_categories("c", objects("True", "False", "3"))
    from_frame = apply_categories(step, {"c": objects(True, False, 3.0)})["columns"]
    from_file = apply_categories(step, {"c": objects("TRUE", "false", "3")})["columns"]
    np.testing.assert_array_equal(from_frame, from_file)
    assert from_file.sum() == 3


@pytest.mark.parametrize(
    "text",
    [
        "2021-03-04",
        "2021-03-04T05:06:07",
        "2021-03-04 05:06:07.250",
        "2021-03-04T05:06:07+02:00",
        "2021/03/04",
        "2021/03/04 05:06",
        "04.03.2021",
        "04.03.2021 05:06",
        "Mar 04, 2021",
        "4 March 2021",
    ],
)
def test_dates_are_read_as_pandas_reads_them(text):
    ours = as_seconds(objects(text), date_formats(objects(text)))
    reference = pd.Timestamp(pd.to_datetime(text, dayfirst=text.startswith("04.")))
    reference = reference.tz_localize("UTC") if reference.tzinfo is None else reference
    assert ours[0] == reference.timestamp()


def test_day_or_month_first_is_told_from_all_dates():
    assert date_formats(objects("01/02/2020", "13/02/2020")) == ["%d/%m/%Y"]
    assert date_formats(objects("01/02/2020", "02/13/2020")) == ["%m/%d/%Y"]


def test_a_column_may_mix_formats_but_not_dates_and_words():
    mixed = objects("2020-01-02", "2020/01/03", "04.01.2020")
    assert len(date_formats(mixed)) == 3
    days = as_seconds(mixed, date_formats(mixed)) / 86400
    np.testing.assert_array_equal(np.diff(days), [1, 1])
    assert date_formats(objects("2020-01-02", "soon")) == []
    assert date_formats(objects("20200102", "20200103")) == []  # whole numbers stay numbers
    assert date_formats(objects("12", "13")) == []


def test_cycles_are_those_of_the_calendar():
    moment = datetime.datetime(2023, 8, 17, 18, 30, tzinfo=datetime.UTC)
    turns = {
        name: phase[0] / (2 * np.pi) for name, phase in cycle_phases(np.array([moment.timestamp()])).items()
    }
    day = (18.5) / 24
    assert turns["day"] == pytest.approx(day)
    assert turns["week"] == pytest.approx((moment.weekday() + day) / 7)
    assert turns["month"] == pytest.approx((16 + day) / calendar.monthrange(2023, 8)[1])
    assert turns["year"] == pytest.approx((moment.timetuple().tm_yday - 1 + day) / 365)


def test_dates_before_1970_work():
    moment = datetime.datetime(1901, 2, 3, 4, tzinfo=datetime.UTC)
    assert as_seconds(objects("1901-02-03 04:00"), ["iso"])[0] == moment.timestamp()
    turn = cycle_phases(np.array([moment.timestamp()]))["day"][0] / (2 * np.pi)
    assert turn == pytest.approx(4 / 24)


def test_dates_are_time_cycles_and_an_indicator():
    values = objects("2020-01-01", None, "2020-07-01", "not yet")
    step = fit_dates("d", values, formats=["iso"])
    assert step.settings["cycles"] == ["year"]  # all are firsts of a month, Wednesdays, at midnight
    rows = apply_dates(step, {"d": values})["columns"]
    np.testing.assert_array_equal(rows[:, -1], [0, 1, 0, 1])
    np.testing.assert_array_equal(rows[1, :-1], 0)
    np.testing.assert_allclose(rows[[0, 2], 0], [-1, 1], rtol=1e-6)
    from_stamps = apply_dates(
        step, {"d": pd.to_datetime(["2020-01-01", None, "2020-07-01", None]).to_numpy()}
    )
    np.testing.assert_array_equal(from_stamps["columns"], rows)


def test_a_bag_weighs_words_as_scikit_learn_does():
    texts = objects("the cat sat", "the dog sat on the cat", "a bird", "the bird sang", "on and on a dog")
    step = fit_bag("t", texts)
    vectorizer = TfidfVectorizer(token_pattern=r"\w+", sublinear_tf=False, min_df=2, norm=None)
    vectorizer.fit(texts)
    assert sorted(step.settings["words"]) == sorted(vectorizer.vocabulary_)
    weights = dict(zip(step.settings["words"], step.settings["weights"], strict=True))
    for word, index in vectorizer.vocabulary_.items():
        assert weights[word] == pytest.approx(vectorizer.idf_[index])
    rows = apply_bag(step, {"t": texts})["columns"]
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), step.settings["scale"], rtol=1e-6)


def test_a_bag_of_unknown_words_is_zeros():
    step = fit_bag("t", objects("one two", "one three", "two three"))
    assert not apply_bag(step, {"t": objects("four", None, "")})["columns"].any()
