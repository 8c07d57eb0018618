"""The pictures of a vision transformer as numbers, against cases whose answer is known."""

from functools import partial

import numpy as np
import pytest
import torch

from pomona.fit.loop import fit
from pomona.fit.settings import FitSettings
from pomona.foundation.randomness import stream
from pomona.foundation.run import temporary_run
from pomona.networks import vit_insight
from pomona.networks.build import build
from pomona.networks.compose import compose
from pomona.networks.named import named_spec
from pomona.networks.signal import signal_of
from pomona.networks.vit import small_vit, vit_body
from pomona.nn.image_tokens import ImageTokens
from pomona.tasks import load_task

GRID = (3, 4)


def uniform(layers=2, batch=2, heads=3, count=12):
    return [np.full((batch, heads, count, count), 1 / count) for _ in range(layers)]


def test_attention_to_itself_has_no_distance_and_uniform_attention_the_mean_one():
    places = np.array([(row, column) for row in range(3) for column in range(4)])
    mean = np.linalg.norm(places[:, None] - places[None], axis=2).mean()
    found = vit_insight.attention_distance(uniform(), GRID, 4, 0)
    np.testing.assert_allclose(found, np.full((2, 3), 4 * mean))
    itself = [np.broadcast_to(np.eye(12), (2, 3, 12, 12))]
    np.testing.assert_array_equal(vit_insight.attention_distance(itself, GRID, 4, 0), np.zeros((1, 3)))


def test_attention_to_the_neighbour_on_the_right_is_one_patch_wide():
    weights = np.eye(12)
    for row in range(3):
        for column in range(3):
            place = 4 * row + column
            weights[place] = np.eye(12)[place + 1]
    found = vit_insight.attention_distance([weights[None, None]], GRID, 5, 0)
    assert found[0, 0] == pytest.approx(5 * 9 / 12)


def test_class_tokens_and_registers_do_not_count_in_distances():
    weights = np.random.default_rng(0).random((1, 2, 14, 14))
    inner = weights[:, :, 2:, 2:]
    np.testing.assert_allclose(
        vit_insight.attention_distance([weights], GRID, 4, 2),
        vit_insight.attention_distance([inner / inner.sum(3, keepdims=True)], GRID, 4, 0),
    )


def test_the_roll_out_follows_what_is_read_through_all_layers():
    first, second = np.eye(13)[None, None].copy(), np.eye(13)[None, None].copy()
    first[0, 0, 5] = np.eye(13)[9]
    second[0, 0, 0] = np.eye(13)[5]
    rolled = vit_insight.attention_rollout([first, second], GRID, first=1, classes=1)
    assert rolled.shape == (1, *GRID)
    assert rolled.sum() == pytest.approx(1)
    # half of what the class token reads comes from token 5, and half of that one's from token 9
    np.testing.assert_allclose(rolled.ravel()[[4, 8]], [0.5, 0.5])


def test_the_roll_out_of_layers_that_read_only_themselves_is_uniform_without_a_class_token():
    rolled = vit_insight.attention_rollout([np.eye(12)[None, None]], GRID, first=0, classes=0)
    np.testing.assert_allclose(rolled, np.full((1, *GRID), 1 / 12))


def test_positions_that_are_sums_of_a_row_and_a_column_show_it():
    tokens = ImageTokens(1, 2, 14, grid=GRID)
    rows, columns = np.eye(14)[:3], np.eye(14)[3:7]
    places = (rows[:, None] + columns[None]).reshape(12, 14)
    with torch.no_grad():
        tokens.positions.embedding.weight[1:] = torch.from_numpy(places)
    similarity = vit_insight.position_similarity(tokens)
    assert similarity.shape == (*GRID, *GRID)
    same, other = vit_insight.row_column_similarity(similarity)
    assert (same, other) == (pytest.approx(0.5), pytest.approx(0.0))
    assert vit_insight.share_of_shuffles(similarity, generator=stream(0, "test")) < 0.01
    shuffled = stream(0, "order").permutation(12)
    blind = similarity.reshape(12, 12)[shuffled][:, shuffled].reshape(*GRID, *GRID)
    assert vit_insight.share_of_shuffles(blind, generator=stream(0, "test")) > 0.05


def test_training_makes_positions_alike_within_rows_and_columns():
    task = load_task("moving-glyphs", num_train=5000)
    shape = small_vit(signal_of(task.inputs["image"]), width=32, depth=2, heads=2)
    spec = compose(partial(vit_body, shape=shape), task)
    settings = FitSettings(steps=500, weight_decay=0.1, augment="none", evaluate_every=100, keep="last")
    with temporary_run(device="cpu") as run:
        result = fit(task, spec, settings, run=run)
    network = build(spec, 0)
    network.load_state_dict(result.state)
    similarity = vit_insight.position_similarity(vit_insight.tokens_of(network))
    same, other = vit_insight.row_column_similarity(similarity)
    assert same > other + 0.03
    assert vit_insight.share_of_shuffles(similarity, generator=stream(0, "test")) < 0.05


def test_filters_are_orthogonal_components_and_their_shares_add_up():
    tokens = ImageTokens(3, 4, 64, grid=GRID)
    filters, shares = vit_insight.first_filters(tokens, 48)
    flat = filters.reshape(48, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(48), atol=1e-5)
    assert shares.sum() == pytest.approx(1)
    assert (np.diff(shares) <= 1e-9).all()


def test_maps_are_those_of_every_layer_and_none_of_other_networks():
    task = load_task("digits")
    batch = task.splits["valid"].read(np.arange(3))
    inputs = {"image": torch.from_numpy(batch["image"])}
    network = build(named_spec("vit", task), 0)
    maps = vit_insight.attention_maps(network, inputs)
    assert [layer.shape for layer in maps] == [(3, 4, 17, 17)] * 4
    for layer in maps:
        np.testing.assert_allclose(layer.sum(3), 1, atol=1e-5)
    assert network.training
    assert vit_insight.attention_maps(build(named_spec("bit", task), 0), inputs) == []
