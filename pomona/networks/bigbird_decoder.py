"""BigBird that writes: a sparse encoder, and a decoder that attends fully to it and to what it has written.

As in the paper's section on summaries: inputs are thousands of tokens long, what is written is short, so only
the encoder's attention is sparse. Layers are those of the encoder, with attention to the input in between.
"""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from pomona.networks.bigbird import BigBirdEncoder, BigBirdSettings, after_sum, dense_branch
from pomona.nn.attention import SelfAttention, attention_kernel

Tokens = Int[Tensor, "batch time"]


class CrossAttention(nn.Module):
    """(batch, time, feature) reads another sequence, whose real steps `mask` tells."""

    def __init__(self, num_features: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.query = nn.Linear(num_features, num_features)
        self.key_value = nn.Linear(num_features, 2 * num_features)
        self.project_out = nn.Linear(num_features, num_features)

    def forward(
        self,
        x: Float[Tensor, "batch time feature"],
        read: Float[Tensor, "batch other feature"],
        mask: Bool[Tensor, "batch other"] | None,
    ) -> Float[Tensor, "batch time feature"]:
        query = self.query(x).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
        key, value = self.key_value(read).unflatten(2, (2, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        allowed = None if mask is None else mask[:, None, None, :]
        with attention_kernel():
            y = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        return self.project_out(y.transpose(1, 2).flatten(2))


class DecoderLayer(nn.Module):
    """What was written, then the input, then a dense layer; each normalised after its shortcut."""

    def __init__(self, settings: BigBirdSettings):
        super().__init__()
        width, heads = settings.width, settings.num_heads
        written = SelfAttention(width, heads, width // heads, num_steps=None, causal=True)
        self.written = after_sum(settings, written)
        self.cross = CrossAttention(width, heads)
        self.dropout = nn.Dropout(settings.dropout)
        self.norm = nn.LayerNorm(width, settings.norm_epsilon)
        self.dense = after_sum(settings, dense_branch(settings))

    def forward(self, x: Tensor, read: Tensor, mask: Tensor | None) -> Tensor:
        x = self.written(x)
        x = self.norm(x + self.dropout(self.cross(x, read, mask)))
        return self.dense(x)


class BigBirdWriter(nn.Module):
    """The logits of what comes next after every written token, given an input; embeddings are shared."""

    def __init__(self, settings: BigBirdSettings, *, max_written: int = 256, num_layers: int | None = None):
        super().__init__()
        self.settings = replace(settings)
        self.encoder = BigBirdEncoder(settings)
        self.positions = nn.Embedding(max_written, settings.width)
        self.norm = nn.LayerNorm(settings.width, settings.norm_epsilon)
        self.dropout = nn.Dropout(settings.dropout)
        depth = settings.num_layers if num_layers is None else num_layers
        self.layers = nn.ModuleList(DecoderLayer(settings) for _ in range(depth))
        self.decode = nn.Linear(settings.width, settings.num_tokens)
        self.decode.weight = self.encoder.tokens.weight

    def forward(
        self, tokens: Tokens, written: Tokens, mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch written token"]:
        return self.after(self.encoder(tokens, mask), written, mask)

    def after(self, read: Tensor, written: Tokens, mask: Tensor | None) -> Tensor:
        """The same, from an input that was encoded before."""
        places = torch.arange(written.shape[1], device=written.device)
        x = self.norm(self.dropout(self.encoder.tokens(written) + self.positions(places)))
        for layer in self.layers:
            if self.settings.checkpointing and self.training:
                x = checkpoint(layer, x, read, mask, use_reentrant=False)
            else:
                x = layer(x, read, mask)
        return self.decode(x)

    @torch.no_grad()
    def generate(
        self,
        tokens: Tokens,
        mask: Bool[Tensor, "batch time"] | None = None,
        *,
        first: int,
        last: int,
        num_beams: int = 1,
        length_penalty: float = 0.8,
    ) -> list[list[int]]:
        """What each input is answered with, from after `first` to before `last`, by beam search.

        Of the hypotheses that end, the one of the highest log-likelihood / length ** length_penalty is taken.
        """
        read = self.encoder(tokens, mask)
        return [
            self._write(read[row : row + 1], None if mask is None else mask[row : row + 1],
                        first, last, num_beams, length_penalty)
            for row in range(len(tokens))
        ]  # fmt: skip

    def _write(
        self, read: Tensor, mask: Tensor | None, first: int, last: int, num_beams: int, penalty: float
    ) -> list[int]:
        beams, ended = [(0.0, [first])], []
        for _ in range(self.positions.num_embeddings - 1):
            written = torch.tensor([words for _, words in beams], device=read.device)
            count = len(beams)
            many = None if mask is None else mask.expand(count, -1)
            logits = self.after(read.expand(count, -1, -1), written, many)[:, -1]
            scores = logits.log_softmax(-1) + torch.tensor([[score] for score, _ in beams]).to(logits)
            best, places = scores.flatten().topk(min(2 * num_beams, scores.numel()))
            grown = []
            for score, place in zip(best.tolist(), places.tolist(), strict=True):
                words = [*beams[place // logits.shape[1]][1], place % logits.shape[1]]
                (ended if words[-1] == last else grown).append((score, words))
            beams = grown[:num_beams]
            if len(ended) >= num_beams or not beams:
                break
        _, words = max(ended or beams, key=lambda beam: beam[0] / (len(beam[1]) - 1) ** penalty)
        return words[1:-1] if words[-1] == last else words[1:]
