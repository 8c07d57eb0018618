"""Convolutions over time against a loop over their windows."""

import itertools

import torch

from pomona.nn.series_convolution import SeriesConvolution


def test_every_step_is_the_sum_over_its_window():
    torch.manual_seed(0)
    x = torch.randn(1, 11, 2, dtype=torch.float64)
    for kernel, stride, dilation, causal in itertools.product((1, 3, 5), (1, 2, 3), (1, 2), (False, True)):
        layer = SeriesConvolution(2, 4, kernel, stride=stride, dilation=dilation, causal=causal).double()
        y, weight = layer(x)[0], layer.convolution.weight
        assert len(y) == -(-11 // stride)
        reach = dilation * (kernel - 1)
        first = -reach if causal else -reach // 2
        for step in range(len(y)):
            expected = layer.convolution.bias.clone()
            for tap in range(kernel):
                place = step * stride + first + tap * dilation
                if 0 <= place < 11:
                    expected = expected + weight[:, :, 0, tap] @ x[0, place]
            torch.testing.assert_close(y[step], expected, rtol=1e-10, atol=1e-12)


def test_even_causal_kernels_are_taken():
    layer = SeriesConvolution(2, 3, 4, causal=True).double()
    x = torch.randn(1, 6, 2, dtype=torch.float64)
    later = x.clone()
    later[:, 3:] += 1
    torch.testing.assert_close(layer(x)[:, :3], layer(later)[:, :3], rtol=0, atol=0)
    assert layer(x).shape == (1, 6, 3)
