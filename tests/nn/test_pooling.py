"""Pooling of series against plain loops over their real steps."""

import itertools

import pytest
import torch

from pomona.nn.global_pool import AttentivePool, GlobalPool
from pomona.nn.pooling import SeriesPool
from pomona.nn.resize import Resize, Upsample

LENGTHS = (11, 7, 4, 1)


def series():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(len(LENGTHS), 11, 3, generator=generator, dtype=torch.float64)
    mask = torch.arange(11) < torch.tensor(LENGTHS)[:, None]
    return x, mask


@pytest.mark.parametrize(("method", "size"), list(itertools.product(("mean", "max"), (1, 2, 3, 4, 20))))
def test_windows_count_real_steps_only(method, size):
    x, mask = series()
    pool = SeriesPool(method, size)
    y, shorter = pool(x, mask), pool.mask_after(mask)
    for row, length in enumerate(LENGTHS):
        windows = [x[row, start : min(start + size, length)] for start in range(0, length, size)]
        expected = torch.stack([w.mean(0) if method == "mean" else w.amax(0) for w in windows])
        assert shorter[row].sum() == len(windows)
        torch.testing.assert_close(y[row, : len(windows)], expected, rtol=1e-12, atol=1e-12)
    everything = torch.ones_like(mask)
    torch.testing.assert_close(pool(x), pool(x, everything), rtol=1e-12, atol=1e-12)
    assert torch.isfinite(pool(x, torch.zeros_like(mask))).all()


@pytest.mark.parametrize("method", ["mean", "max", "last"])
def test_one_vector_of_the_real_steps(method):
    x, mask = series()
    y = GlobalPool(method)(x, mask)
    for row, length in enumerate(LENGTHS):
        real = x[row, :length]
        expected = {"mean": real.mean(0), "max": real.amax(0), "last": real[-1]}[method]
        torch.testing.assert_close(y[row], expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(GlobalPool(method)(x, torch.zeros_like(mask)), torch.zeros_like(y))


def test_attention_over_steps_is_a_softmax_and_starts_as_the_mean():
    x, mask = series()
    pool = AttentivePool(3).double()
    pool.initialise(torch.Generator())
    torch.testing.assert_close(pool(x, mask), GlobalPool("mean")(x, mask), rtol=1e-12, atol=1e-12)
    torch.nn.init.normal_(pool.score.weight)
    y = pool(x, mask)
    for row, length in enumerate(LENGTHS):
        real = x[row, :length]
        weights = pool.score(real).exp()
        torch.testing.assert_close(y[row], (real * weights / weights.sum()).sum(0), rtol=1e-10, atol=1e-12)
    image = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    as_series = image.flatten(2).transpose(1, 2)
    torch.testing.assert_close(pool(image), pool(as_series), rtol=1e-12, atol=1e-12)


def test_resizing_undoes_the_shortening_of_a_pool():
    for num_steps, size in itertools.product(range(5, 14), (1, 2, 3)):
        short = torch.arange(0, num_steps, size)[None, :, None].float()
        longer = Resize((num_steps,))(short)[0, :, 0]
        assert torch.equal(longer, torch.arange(num_steps) // size * size)
        mask = torch.arange(short.shape[1])[None] < 1
        assert Resize((num_steps,)).mask_after(mask).sum() == min(size, num_steps)
    assert torch.equal(
        Upsample(2)(torch.tensor([[[1.0], [2.0]]]))[0, :, 0], torch.tensor([1.0, 1.0, 2.0, 2.0])
    )
