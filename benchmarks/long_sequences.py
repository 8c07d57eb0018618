"""BigBird against full attention: time, memory, equality, and retrieval over a distance.

    python benchmarks/long_sequences.py [--quick] [--seeds 3]

Speed and memory are of attention alone, forward and backward. Speed is processor time of one thread, in
turns, against torch's fused kernel, the stronger rival, and against plain full attention; memory is the peak
against the plain one, whose scores are a square. The fused kernel's memory is linear too, and less than ours.
Needle retrieval trains small networks alike but for their attention on the task `needle`. `--quick` measures
speed, memory and equality within three minutes and reads what was trained from results/long_sequences.json,
marked "recorded". Prints one JSON line; the full run writes that file.
"""

import argparse
import itertools
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pomona.foundation.files import to_json, write_json
from pomona.foundation.run import temporary_run
from pomona.nn.peak_memory import peak_bytes
from pomona.nn.sparse_attention import SparseAttention, dense_attention
from pomona.nn.sparse_pattern import bigbird_pattern, diameter
from pomona.recipes.long_sequences import find_needles

RESULT = Path(__file__).parent / "results" / "long_sequences.json"
HEADS, WIDTH, BLOCK, STEPS = 4, 64, 64, 4096

Attention = Callable[[Tensor, Tensor, Tensor], Tensor]


def main() -> None:
    """Measures the bars and prints them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    bars = [*equality(), *speed(), *memory(), *graph()]
    recorded = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    if wanted.quick:
        trained = [{**bar, "recorded": True} for bar in recorded.get("trained", [])]
    else:
        trained = needles(wanted.seeds)
    result = {
        "benchmark": "long_sequences",
        "unit": "see each bar",
        "bar": "4x faster, a quarter of the memory, needles within 1 point",
        "bars": [*bars, *trained],
        "trained": trained,
        "command": f"python benchmarks/long_sequences.py --seeds {wanted.seeds}",
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
        "date": time.strftime("%Y-%m-%d"),
    }
    if not wanted.quick:
        write_json(RESULT, result)
    print(to_json(result))


def equality() -> list[dict[str, Any]]:
    """The farthest any step is from the dense mask, over lengths, blocks and padding, in float64."""
    generator, worst = torch.Generator().manual_seed(0), 0.0
    for num_steps in (65, 128, 300, 511):
        for size in (8, 16, 64):
            for causal in (False, True):
                pattern = bigbird_pattern(-(-num_steps // size), block_size=size, num_heads=2, causal=causal)
                query, key, value = torch.randn(3, 2, 2, num_steps, 8, generator=generator).double()
                mask = torch.arange(num_steps) < torch.tensor([[num_steps], [num_steps * 2 // 3]])
                sparse = SparseAttention(pattern)(query, key, value, mask)
                apart = (sparse - dense_attention(query, key, value, pattern, mask)).abs().amax((1, 3))
                worst = max(worst, float(apart[mask].max()))
    return [bar("farthest from the dense mask", "< 1e-6", worst)]


def speed() -> list[dict[str, Any]]:
    """How many times faster forward and backward are at 4,096 steps."""
    sparse = SparseAttention(bigbird_pattern(STEPS // BLOCK, block_size=BLOCK, num_heads=HEADS))
    times: dict[str, list[float]] = {"sparse": [], "fused": [], "plain": []}
    for turn in range(3):
        for name, attention in (("sparse", sparse), ("fused", fused_full), ("plain", plain_full)):
            seconds = timed(attention, STEPS)
            if turn:  # the first warms up
                times[name].append(seconds)
    ours = min(times["sparse"])
    return [
        bar("times faster than full attention (fused) at 4,096 steps", ">= 4", min(times["fused"]) / ours),
        bar("times faster than full attention (plain) at 4,096 steps", ">= 4", min(times["plain"]) / ours),
        bar("seconds of sparse attention at 4,096 steps", "report", ours),
    ]


def memory() -> list[dict[str, Any]]:
    """The most bytes at once, forward and backward: against full attention, and as the length grows."""
    lengths = (1024, 2048, 4096, 8192, 16384)
    ours = {}
    for num_steps in lengths:
        pattern = bigbird_pattern(num_steps // BLOCK, block_size=BLOCK, num_heads=HEADS)
        ours[num_steps] = peak(SparseAttention(pattern), num_steps)
    growth = max(ours[b] / ours[a] for a, b in itertools.pairwise(lengths))
    return [
        bar(
            "share of full attention's peak memory, 4,096 steps",
            "<= 0.25",
            ours[4096] / peak(plain_full, 4096),
        ),
        bar("growth of peak memory when the length doubles, 1k to 16k, at most", "<= 2.2", growth),
        bar("megabytes at the peak, 4,096 steps", "report", ours[4096] / 2**20),
    ]


def graph() -> list[dict[str, Any]]:
    """Layers that news needs from one end to the other of 256 blocks."""
    cases = {"global, window, random": {}, "window and random": {"num_global": 0}}
    cases["window only"] = {"num_global": 0, "num_random": 0}
    return [
        bar(
            f"diameter of 256 blocks: {name}",
            "report",
            diameter(bigbird_pattern(256, block_size=1, **counts)),
        )
        for name, counts in cases.items()
    ]


def needles(num_seeds: int) -> list[dict[str, Any]]:
    """Validation accuracy at 1,024 tokens with blocks of 16, mean over seeds, of three kinds of attention."""
    found = {}
    for attention in ("full", "bigbird", "window"):
        scores = []
        for seed in range(num_seeds):
            with temporary_run(seed=seed, device="cpu", threads=1) as run:
                scores.append(find_needles(attention, time=1024, run=run).valid["accuracy"])
            print(f"{attention}, seed {seed}: {scores[-1]:.4f}", file=sys.stderr, flush=True)
        found[attention] = 100 * np.array(scores)
    behind = float(found["full"].mean() - found["bigbird"].mean())
    return [
        {
            **bar("points of BigBird behind full attention, needles in 1,024 tokens", "<= 1", behind),
            "seeds": num_seeds,
        },
        {**bar("accuracy of window only, %, chance is 12.5", "report", float(found["window"].mean()))},
        {**bar("accuracy of full attention, %", "report", float(found["full"].mean()))},
        {**bar("accuracy of BigBird, %", "report", float(found["bigbird"].mean()))},
    ]


def bar(name: str, target: str, measured: float) -> dict[str, Any]:
    """One entry of the result."""
    return {"bar": name, "target": target, "measured": measured}


def fused_full(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Full attention by torch's fused kernel."""
    return functional.scaled_dot_product_attention(query, key, value)


def plain_full(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Full attention as written in papers."""
    return (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).softmax(-1) @ value


def timed(attention: Attention, num_steps: int) -> float:
    """Processor seconds of one pass forward and backward."""
    inputs = drawn(num_steps)
    began = time.process_time()
    attention(*inputs).sum().backward()
    return time.process_time() - began


def peak(attention: Attention, num_steps: int) -> int:
    """Bytes at the peak of one pass forward and backward, inputs aside."""
    inputs = [x.detach().to("meta").requires_grad_() for x in drawn(num_steps)]
    moved = attention.to("meta") if isinstance(attention, nn.Module) else attention
    return peak_bytes(lambda: moved(*inputs).sum().backward())


def drawn(num_steps: int) -> list[Tensor]:
    """Random queries, keys and values."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(1, HEADS, num_steps, WIDTH, generator=generator).requires_grad_() for _ in range(3)]


if __name__ == "__main__":
    main()
