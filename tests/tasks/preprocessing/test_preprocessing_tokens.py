import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomona.foundation.errors import DataError
from pomona.tasks.preprocessing.ids import apply_ids, fit_ids
from pomona.tasks.preprocessing.tokens import MAX_TIME, UNKNOWN, apply_tokens, fit_tokens, split_text


def objects(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


def ids_of(step, *texts):
    return apply_tokens(step, {"t": objects(*texts)})["text"]


def test_words_and_signs_are_tokens():
    assert split_text("What's my PIN-code?  Ünïted 42!", "word") == [
        *("what's", "my", "pin", "-", "code", "?", "ünïted", "42", "!")
    ]
    assert split_text("D N  V", "space") == ["D", "N", "V"]
    assert split_text("ab c", "character") == ["a", "b", " ", "c"]


def test_a_known_text_can_be_read_back():
    texts = objects("the cat sat", "a dog ran", "the dog sat")
    step = fit_tokens("t", texts)
    vocabulary = ["<pad>", "<unknown>", *step.settings["vocabulary"]]
    for text, row in zip(texts, ids_of(step, *texts), strict=True):
        assert [vocabulary[index] for index in row if index] == text.split()
    assert step.settings["num_tokens"] == len(vocabulary)


def test_an_unknown_word_is_spelled_and_unknown_characters_are_unknown():
    step = fit_tokens("t", objects("cat tac", "act cat"))
    vocabulary = ["<pad>", "<unknown>", *step.settings["vocabulary"]]
    step = fit_tokens("t", objects("cat tac", "act cat"), time=6)
    spelled = [vocabulary[index] for index in ids_of(step, "cat aa")[0] if index]
    assert spelled == ["cat", "a", "a"]
    assert ids_of(step, "ж")[0, 0] == UNKNOWN


def test_a_text_without_spaces_is_spelled():
    step = fit_tokens("t", objects("你好世界", "世界你好"), time=8)
    assert (ids_of(step, "好好你")[0] != 0).sum() == 3


def test_what_stands_between_spaces_stays_one_token():
    step = fit_tokens("t", objects("a b c", "ab c"), unit="space", time=4)
    assert (ids_of(step, "abc c a") == UNKNOWN).tolist() == [[True, False, False, False]]


def test_lengths_follow_training_and_never_exceed_the_limit():
    assert fit_tokens("t", objects("a b c", "a")).settings["time"] == 3
    assert fit_tokens("t", objects("word " * 5000, "a")).settings["time"] == MAX_TIME


def test_the_vocabulary_keeps_the_most_frequent_words():
    step = fit_tokens("t", objects("aa aa bb", "aa bb cc"), max_vocabulary=2)
    assert step.settings["vocabulary"] == ["aa", "bb", "a", "b", "c"]


@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), min_size=1, max_size=6))
def test_any_text_gives_valid_ids_and_at_least_one_token(texts):
    step = fit_tokens("t", objects("some words here", "and there"), time=12)
    batch = apply_tokens(step, {"t": objects(*texts)})
    ids, mask = batch["text"], batch["text.mask"]
    assert ids.shape == (len(texts), 12)
    assert 0 <= ids.min() <= ids.max() < step.settings["num_tokens"]
    np.testing.assert_array_equal(mask, ids != 0)
    assert mask[:, 0].all()


def test_texts_in_one_batch_are_as_each_alone():
    step = fit_tokens("t", objects("one two three", "four"))
    texts = ["four one", "three", None]
    alone = np.concatenate([ids_of(step, text) for text in texts])
    np.testing.assert_array_equal(ids_of(step, *texts), alone)


def test_ids_pass_and_get_a_mask():
    values = np.array([[3, 1, 0], [0, 0, 0], [2, 2, 2]])
    step = fit_ids("t", values)
    batch = apply_ids(step, {"t": values})
    np.testing.assert_array_equal(batch["tokens"], values)
    assert batch["tokens.mask"].tolist() == [[True, True, False], [True, False, False], [True, True, True]]


@pytest.mark.parametrize("values", [np.array([[4, 0, 0]]), np.array([[1, 2]]), np.array([[1.0, 2.0, 3.0]])])
def test_ids_that_training_cannot_have_are_refused(values):
    step = fit_ids("t", np.array([[3, 1, 0]]))
    with pytest.raises(DataError, match="token ids"):
        apply_ids(step, {"t": values})
