"""Moving glyphs can be told apart: by hand, with a template at every place."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pomona.foundation.randomness import stream
from pomona.tasks import load_task
from pomona.tasks.builtin.moving_glyphs import CLASSES, GLYPH, draw_glyphs, glyphs


def test_the_best_matching_sign_is_the_class():
    raw = draw_glyphs(stream(0, "test"), 300, 24)
    windows = sliding_window_view(raw["image"] / 255.0, (GLYPH, GLYPH), (1, 2))
    templates = glyphs() - glyphs().mean((1, 2), keepdims=True)
    templates /= np.linalg.norm(templates, axis=(1, 2), keepdims=True)
    scores = np.einsum("brcij,kij->bkrc", windows, templates).max((2, 3))
    said = np.array(CLASSES)[scores.argmax(1)]
    assert (said == raw["glyph"]).mean() > 0.95


def test_signs_are_distinct_and_stand_anywhere():
    signs = glyphs()
    assert len({sign.tobytes() for sign in signs}) == len(CLASSES)
    raw = draw_glyphs(stream(0, "test"), 2000, 24)
    bright = (raw["image"] > 140).mean(0)
    assert bright[6:18, 6:18].min() > 0.05
    assert bright[0].max() > 0.01
    assert bright[:, -1].max() > 0.01


def test_more_training_images_start_with_the_same_test():
    small, large = (load_task("moving-glyphs", num_train=count) for count in (50, 100))
    assert small.splits["train"].size == 50
    ids = np.arange(20)
    few, more = (task.splits["test"].read(ids)["glyph"] for task in (small, large))
    np.testing.assert_array_equal(few, more)
