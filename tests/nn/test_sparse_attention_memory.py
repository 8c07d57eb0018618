"""What the way back keeps grows with the length, not with its square."""

import itertools

import torch

from pomona.nn.sparse_attention import SparseAttention
from pomona.nn.sparse_pattern import bigbird_pattern

BLOCK, HEADS, WIDTH = 64, 2, 16


class Largest(torch.utils._python_dispatch.TorchDispatchMode):
    """Remembers the bytes alive after every operation; the most at once is the peak."""

    def __init__(self):
        super().__init__()
        self.storages, self.peak = {}, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for tensor in torch.utils._pytree.tree_leaves(out):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                self.storages[storage._cdata] = torch.multiprocessing.reductions.StorageWeakRef(storage)
        alive = {key: ref for key, ref in self.storages.items() if not ref.expired()}
        self.storages = alive
        self.peak = max(self.peak, sum(_size(ref) for ref in alive.values()))
        return out


def _size(ref):
    return torch.UntypedStorage._new_with_weak_ptr(ref.cdata).nbytes()


def peak_bytes(num_steps):
    """The most bytes at once in forward and backward, on the meta device, where nothing is computed."""
    with torch.device("meta"):
        layer = SparseAttention(bigbird_pattern(num_steps // BLOCK, block_size=BLOCK, num_heads=HEADS))
        inputs = [torch.randn(1, HEADS, num_steps, WIDTH, requires_grad=True) for _ in range(3)]
    with Largest() as largest:
        layer(*inputs).sum().backward()
    return largest.peak


def test_peak_memory_of_forward_and_backward_is_linear_from_1k_to_16k_steps():
    peaks = [peak_bytes(1024 * 2**power) for power in range(5)]
    assert peaks[0] > 1024 * HEADS * WIDTH * 4
    for shorter, longer in itertools.pairwise(peaks):
        assert longer < 2.2 * shorter, peaks
