"""The procedural tasks know how good a method can be; here that knowledge is checked."""

import collections
import itertools
import math

import numpy as np
import pytest

from pomona.foundation.randomness import stream
from pomona.tasks import load_task
from pomona.tasks.builtin import small_grammar, tagged_words
from pomona.tasks.builtin.digit_properties import PROPERTIES
from pomona.tasks.builtin.seasonal_series import HORIZON, NOISE, TIME, draw_series
from pomona.tasks.builtin.shapes import CLASSES, draw_shapes


def whole(task, split):
    return task.splits[split].read(np.arange(task.splits[split].size))


def test_the_best_tags_are_those_of_brute_force():
    sentence = "the light walk saw fast"
    words, tags = sentence.split(), tagged_words.TAGS
    posterior = np.zeros((len(words), len(tags)))
    for path in itertools.product(range(len(tags)), repeat=len(words)):
        probability = tagged_words.START[path[0]]
        for before, after in itertools.pairwise(path):
            probability *= tagged_words.NEXT[before, after]
        for word, tag in zip(words, path, strict=True):
            known = tagged_words.WORDS[tags[tag]].split()
            probability *= (word in known) / len(known)
        for step, tag in enumerate(path):
            posterior[step, tag] += probability
    np.testing.assert_array_equal(tagged_words.best_tags(sentence), posterior.argmax(1))


def test_words_alone_do_not_tell_their_tags_but_context_does():
    raw = tagged_words.draw_sentences(stream(0, "test"), 400)
    counts = collections.defaultdict(collections.Counter)
    right, by_word, total = 0, 0, 0
    pairs = [(words.split(), tags.split()) for words, tags in zip(raw["words"], raw["tags"], strict=True)]
    for words, tags in pairs:
        for word, tag in zip(words, tags, strict=True):
            counts[word][tag] += 1
        best = [tagged_words.TAGS[tag] for tag in tagged_words.best_tags(" ".join(words))]
        right += sum(one == other for one, other in zip(best, tags, strict=True))
        total += len(words)
    by_word = sum(counter.most_common(1)[0][1] for counter in counts.values())
    assert by_word / total + 0.1 < right / total < 1


def test_transitions_and_words_are_distributions():
    np.testing.assert_allclose(tagged_words.NEXT.sum(1), 1)
    assert tagged_words.START.sum() == pytest.approx(1)


def test_the_entropy_of_the_grammar_is_that_of_its_text():
    """By parsing sentences, each of which must have one derivation."""
    generator = stream(0, "entropy")
    text = small_grammar.draw_text(generator, 60_000)
    sentences = [f"{part} ." for part in text.split(" . ")[:-1]]
    nats = sum(-math.log(probability(sentence)) for sentence in sentences)
    characters = sum(len(sentence) + 1 for sentence in sentences)
    assert nats / characters == pytest.approx(small_grammar.nats_a_character(), rel=0.02)


def probability(sentence):
    """How probable a sentence is, by trying all derivations."""

    def endings(symbols, words):
        if not symbols:
            yield 1.0, words
            return
        first, *rest = symbols
        if first not in small_grammar.GRAMMAR:
            if words[:1] == (first,):
                yield from endings(rest, words[1:])
            return
        choices = small_grammar.GRAMMAR[first]
        for choice in choices:
            for one, left in endings([*choice.split(), *rest], words):
                yield one / len(choices), left

    found = [one for one, left in endings(["SENTENCE"], tuple(sentence.split())) if not left]
    assert len(found) == 1, sentence
    return found[0]


def test_the_next_character_is_the_next_one():
    task = load_task("small-grammar", num_train=50)
    batch = whole(task, "train")
    np.testing.assert_array_equal(batch["text"][:, 1:], batch["next"][:, :-1])
    np.testing.assert_array_equal(batch["text"][1:, 0], batch["next"][:-1, -1])


def test_shapes_have_the_classes_they_are_drawn_with():
    raw = draw_shapes(stream(0, "shapes"), 300, 32)
    shares = {name: (raw["shape"] == name).mean() for name in CLASSES}
    assert all(share > 0.02 for share in shares.values())
    assert shares["background"] > 0.5
    background = raw["image"][raw["shape"] == "background"] / 255
    assert background.mean() == pytest.approx(0.3, abs=0.01)
    assert background.std() == pytest.approx(0.1, abs=0.01)


def test_noise_is_all_that_is_unforeseeable_in_the_series():
    """A regression on the true seasons leaves residuals of the noise's size."""
    series = draw_series(stream(0, "series"), 8, 360)
    time = np.arange(360)
    angles = [2 * np.pi * time / period for period in (12, 36)]
    basis = np.stack([np.ones(360), time, *(f(angle) for angle in angles for f in (np.sin, np.cos))], axis=1)
    for values in series:
        residual = values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
        assert residual.std() == pytest.approx(NOISE, rel=0.15)


def test_windows_of_the_series_follow_each_other_and_test_is_the_future():
    task = load_task("seasonal-series", num_series=2, length=240)
    target = task.targets["future"]
    batch = whole(task, "train")
    assert batch["past"].shape[1:] == (TIME, 1)
    step = task.preprocessing.steps[0].settings
    past = batch["past"] * step["std"] + step["mean"]
    one = batch["group"] == 0
    # a window starts every 4 steps: the first values of a future are in the past of the next window
    np.testing.assert_allclose(past[one][1:, -4:], batch["future"][one][:-1, :4], rtol=1e-4, atol=1e-5)
    assert target.shape == (HORIZON, 1)
    last_train, first_valid = batch["future"][one][-1], whole(task, "valid")["future"]
    assert not any(np.allclose(last_train, window) for window in first_valid)


def test_properties_are_those_of_the_digit():
    digits, properties = load_task("digits"), load_task("digit-properties")
    digit, rows = whole(digits, "train")["digit"], whole(properties, "train")["properties"]
    for column, members in zip(rows.T, PROPERTIES.values(), strict=True):
        np.testing.assert_array_equal(column == 1, np.isin(digit, members))


def test_the_larger_of_two_digits_fits_their_sum():
    batch = whole(load_task("two-digits", num_pairs=500), "train")
    task = load_task("two-digits", num_pairs=500)
    equal = task.targets["larger"].classes.index("equal")
    assert (batch["sum"][batch["larger"] == equal] % 2 == 0).all()
    assert {"left", "right"} <= set(batch)
