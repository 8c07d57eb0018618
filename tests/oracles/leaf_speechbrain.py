"""Records what speechbrain's Leaf makes of two sounds: tests/oracles/leaf_speechbrain.npz.

    python tests/oracles/leaf_speechbrain.py

Needs speechbrain 1.1.2 beside torch. It imports torchaudio, whose build has to match torch's; of it LEAF
uses one function, the triangles of a mel filterbank, which is written here. speechbrain adds to every pooled
energy a learned bias, 1 at the start, that neither the paper nor the release has: it is set to 0.
"""

import importlib.machinery
import math
import sys
import types
from pathlib import Path

import numpy as np
import torch


def mel_triangles(n_freqs, f_min, f_max, n_mels, sample_rate):
    """torchaudio.functional.melscale_fbanks with its defaults: HTK's formula, triangles over Hz."""
    mels = [2595.0 * math.log10(1.0 + hz / 700.0) for hz in (f_min, f_max)]
    edges = 700.0 * (10.0 ** (torch.linspace(*mels, n_mels + 2) / 2595.0) - 1.0)
    slopes = edges[None] - torch.linspace(0, sample_rate // 2, n_freqs)[:, None]
    widths = edges[1:] - edges[:-1]
    return torch.minimum(-slopes[:, :-2] / widths[:-1], slopes[:, 2:] / widths[1:]).clamp(min=0.0)


def stand_in_for_torchaudio() -> None:
    for name in ("torchaudio", "torchaudio.functional", "torchaudio.transforms"):
        module = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        sys.modules[name] = module
    sys.modules["torchaudio"].functional = sys.modules["torchaudio.functional"]
    sys.modules["torchaudio"].transforms = sys.modules["torchaudio.transforms"]
    sys.modules["torchaudio"].__version__ = "2.11.0"
    sys.modules["torchaudio"].list_audio_backends = lambda: ["none"]
    sys.modules["torchaudio.functional"].melscale_fbanks = mel_triangles


def sounds(num_samples: int = 6000, rate: int = 16_000) -> np.ndarray:
    """A loud rising tone in noise, and a quiet burst."""
    time = np.arange(num_samples) / rate
    noise = np.random.default_rng(0).standard_normal((2, num_samples))
    rising = 0.5 * np.sin(2 * np.pi * (300 + 4000 * time) * time) + 0.05 * noise[0]
    burst = 0.01 * noise[1] * np.exp(-(((time - 0.2) / 0.05) ** 2)) + 0.001 * np.sin(2 * np.pi * 900 * time)
    return np.stack((rising, burst)).astype(np.float32)


def main() -> None:
    stand_in_for_torchaudio()
    from speechbrain.lobes.features import Leaf

    torch.manual_seed(0)
    found = {"sound": sounds()}
    for name, spread in (("start", 0.0), ("trained", 0.1)):
        model = Leaf(40, window_len=25.0, window_stride=10.0, in_channels=1, min_freq=60.0, max_freq=7800.0)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter *= 1 + spread * torch.randn_like(parameter)
            model.pooling._bias.zero_()
            found[f"{name}/output"] = model(torch.from_numpy(found["sound"])).numpy()
        found |= {f"{name}/weights/{key}": value.numpy() for key, value in model.state_dict().items()}
    np.savez_compressed(Path(__file__).with_suffix(".npz"), **found)


if __name__ == "__main__":
    main()
