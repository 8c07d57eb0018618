"""What stands on a BigBird: heads for masked words, classes, spans and tags, each with its encoder."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from pomona.networks.bigbird import BigBirdEncoder, BigBirdSettings, activation_of, after_sum, dense_branch

Tokens = Int[Tensor, "batch time"]
Mask = Bool[Tensor, "batch time"] | None


class MaskedLanguageModel(nn.Module):
    """The logits of every token at every step; the last matrix is that of the embeddings."""

    def __init__(self, settings: BigBirdSettings):
        super().__init__()
        self.encoder = BigBirdEncoder(settings)
        self.transform = nn.Linear(settings.width, settings.width)
        self.activation = activation_of(settings)
        self.norm = nn.LayerNorm(settings.width, settings.norm_epsilon)
        self.decode = nn.Linear(settings.width, settings.num_tokens)
        self.decode.weight = self.encoder.tokens.weight

    def forward(
        self, tokens: Tokens, mask: Mask = None, types: Tokens | None = None
    ) -> Float[Tensor, "batch time token"]:
        x = self.encoder(tokens, mask, types)
        return self.decode(self.norm(self.activation(self.transform(x))))


class Classifier(nn.Module):
    """The logits of classes, from the first step."""

    def __init__(self, settings: BigBirdSettings, num_classes: int):
        super().__init__()
        self.encoder = BigBirdEncoder(settings)
        self.dropout = nn.Dropout(settings.dropout)
        self.dense = nn.Linear(settings.width, settings.width)
        self.activation = activation_of(settings)
        self.out = nn.Linear(settings.width, num_classes)

    def forward(
        self, tokens: Tokens, mask: Mask = None, types: Tokens | None = None
    ) -> Float[Tensor, "batch class"]:
        first = self.dropout(self.encoder(tokens, mask, types)[:, 0])
        return self.out(self.dropout(self.activation(self.dense(first))))


class SpanFinder(nn.Module):
    """The logits of where an answer starts and ends, (batch, time, 2), the smallest number at padding."""

    def __init__(self, settings: BigBirdSettings):
        super().__init__()
        self.encoder = BigBirdEncoder(settings)
        self.dropout = nn.Dropout(settings.dropout)
        self.layer = after_sum(settings, dense_branch(settings))
        self.out = nn.Linear(settings.width, 2)

    def forward(
        self, tokens: Tokens, mask: Mask = None, types: Tokens | None = None
    ) -> Float[Tensor, "batch time end"]:
        x = self.out(self.layer(self.dropout(self.encoder(tokens, mask, types))))
        return x if mask is None else x.masked_fill(~mask[:, :, None], torch.finfo(x.dtype).min)


class Tagger(nn.Module):
    """The logits of classes at every step."""

    def __init__(self, settings: BigBirdSettings, num_classes: int):
        super().__init__()
        self.encoder = BigBirdEncoder(settings)
        self.dropout = nn.Dropout(settings.dropout)
        self.out = nn.Linear(settings.width, num_classes)

    def forward(
        self, tokens: Tokens, mask: Mask = None, types: Tokens | None = None
    ) -> Float[Tensor, "batch time class"]:
        return self.out(self.dropout(self.encoder(tokens, mask, types)))


def best_span(
    ends: Float[Tensor, "batch time end"], max_steps: int = 64
) -> tuple[Int[Tensor, " batch"], Int[Tensor, " batch"]]:
    """First and last step of the likeliest span of at most `max_steps` steps."""
    first, last = ends.unbind(2)
    num_steps = first.shape[1]
    # later ends, one row an offset, so that no square of the length is needed
    offsets = [
        first[:, : num_steps - offset] + last[:, offset:] for offset in range(min(max_steps, num_steps))
    ]
    padded = [nn.functional.pad(scores, (0, k), value=-torch.inf) for k, scores in enumerate(offsets)]
    best = torch.stack(padded, 1).flatten(1).argmax(1)
    begins = best % num_steps
    return begins, begins + best // num_steps
