"""Training steps of small networks whose operations tell what a machine is like, where a graph cannot."""

import torch
from torch import nn

from pomona.compile.placement.capture.fx_graph import Captured
from pomona.compile.placement.capture.torch_module import capture_training


def probes() -> list[Captured]:
    """Convolutions, attention, recurrence and dense layers, each in a small and a larger size."""
    made = []
    for width, image, batch in ((16, 16, 4), (64, 32, 16)):
        made.append(
            capture_training(_images(width, image), (torch.zeros(batch, 3, image, image),), name="images")
        )
    for width, steps, batch in ((64, 16, 4), (256, 128, 8)):
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, batch_first=True, activation="gelu")
        made.append(capture_training(layer, (torch.zeros(batch, steps, width),), name="attention"))
    for width, batch in ((64, 8), (512, 32)):
        tokens = torch.zeros(batch, 4, dtype=torch.long)
        made.append(capture_training(_Words(width), (tokens,), name="words"))
    return made


def _images(width: int, image: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(width, 2 * width, 3, padding=1),
        nn.GroupNorm(4, 2 * width),
        nn.SiLU(),
        nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width),
        nn.Conv2d(2 * width, width, 1),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(width * (image // 4) ** 2, 10),
        nn.LogSoftmax(-1),
    )


class _Words(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(1000, width)
        self.memory = nn.LSTM(width, width, batch_first=True)
        self.out = nn.Linear(width, 1000)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        hidden, _ = self.memory(self.table(tokens))
        return self.out(torch.tanh(hidden)).log_softmax(-1)
