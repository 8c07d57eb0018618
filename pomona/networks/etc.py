"""ETC (Ainslie et al. 2020): words and the sentences, paragraphs and headings above them, in two streams.

Pretraining joins masked words (MLM) and contrastive predictive coding (CPC): some sentences are hidden whole,
and what their global step then says has to be nearest to the same sentence encoded alone, among all hidden
sentences of the batch. The released code has no CPC; this follows the paper's section 3.4.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from pomona.nn.global_local_attention import GlobalLocalAttention, Structure

HIDDEN = 1
"""The token that stands for a hidden one."""


@dataclass(frozen=True)
class EtcSettings:
    """Sizes of an ETC; radius and distances are the released defaults."""

    num_tokens: int = 30522
    num_kinds: int = 3
    """Kinds of global steps: sentence, paragraph, heading."""
    width: int = 768
    num_layers: int = 12
    num_heads: int = 12
    inner_width: int = 3072
    radius: int = 84
    max_distance: int = 12
    hard_down: bool = True
    hard_up: bool = False
    norm_epsilon: float = 1e-12
    dropout: float = 0.1
    checkpointing: bool = False


class EtcLayer(nn.Module):
    """Attention, then a dense layer, the same weights for both streams; normalised after each sum."""

    def __init__(self, settings: EtcSettings):
        super().__init__()
        self.attention = GlobalLocalAttention(
            settings.width,
            settings.num_heads,
            settings.width // settings.num_heads,
            radius=settings.radius,
            max_distance=settings.max_distance,
            hard_down=settings.hard_down,
            hard_up=settings.hard_up,
        )
        self.norm = nn.LayerNorm(settings.width, settings.norm_epsilon)
        self.dense = nn.Sequential(
            nn.Linear(settings.width, settings.inner_width),
            nn.GELU(),
            nn.Linear(settings.inner_width, settings.width),
        )
        self.last_norm = nn.LayerNorm(settings.width, settings.norm_epsilon)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, long: Tensor, glob: Tensor, structure: Structure) -> tuple[Tensor, Tensor]:
        read = self.attention(long, glob, structure)
        long, glob = (self.norm(x + self.dropout(y)) for x, y in zip((long, glob), read, strict=True))
        long, glob = (self.last_norm(x + self.dropout(self.dense(x))) for x in (long, glob))
        return long, glob


class EtcEncoder(nn.Module):
    """Words (batch, time) and kinds of global steps (batch, global) → both streams, of `width` features."""

    def __init__(self, settings: EtcSettings):
        super().__init__()
        self.settings = settings
        self.tokens = nn.Embedding(settings.num_tokens, settings.width)
        self.kinds = nn.Embedding(settings.num_kinds, settings.width)
        self.norm = nn.LayerNorm(settings.width, settings.norm_epsilon)
        self.dropout = nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(EtcLayer(settings) for _ in range(settings.num_layers))

    def forward(
        self, tokens: Int[Tensor, "batch time"], kinds: Int[Tensor, "batch global"], structure: Structure
    ) -> tuple[Float[Tensor, "batch time feature"], Float[Tensor, "batch global feature"]]:
        long, glob = (self.dropout(self.norm(x)) for x in (self.tokens(tokens), self.kinds(kinds)))
        for layer in self.layers:
            if self.settings.checkpointing and self.training:
                long, glob = checkpoint(layer, long, glob, structure, use_reentrant=False)  # type: ignore[misc]
            else:
                long, glob = layer(long, glob, structure)
        return long, glob


class EtcPretraining(nn.Module):
    """The two losses: of masked words, and of hidden sentences."""

    def __init__(self, settings: EtcSettings):
        super().__init__()
        self.encoder = EtcEncoder(settings)
        self.transform = nn.Linear(settings.width, settings.width)
        self.decode = nn.Linear(settings.width, settings.num_tokens)
        self.decode.weight = self.encoder.tokens.weight

    def forward(
        self,
        tokens: Int[Tensor, "batch time"],
        kinds: Int[Tensor, "batch global"],
        structure: Structure,
        masked: Bool[Tensor, "batch time"],
        hidden: Bool[Tensor, "batch global"],
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """MLM over the words `masked`, and CPC over the global steps `hidden`, whose words are all hidden."""
        covered = (structure.member & hidden[:, :, None]).any(1)
        seen = tokens.masked_fill(masked | covered, HIDDEN)
        long, glob = self.encoder(seen, kinds, structure)
        logits = self.decode(F.gelu(self.transform(long[masked])))
        return F.cross_entropy(logits, tokens[masked]), self._cpc(tokens, kinds, structure, glob, hidden)

    def _cpc(
        self, tokens: Tensor, kinds: Tensor, structure: Structure, glob: Tensor, hidden: Tensor
    ) -> Tensor:
        rows, groups = hidden.nonzero(as_tuple=True)
        alone = structure.member[rows, groups]
        one = Structure(alone[:, None], alone)
        _, summary = self.encoder(tokens[rows], kinds[rows, groups][:, None], one)
        return contrastive_loss(glob[rows, groups], summary[:, 0])


def contrastive_loss(
    said: Float[Tensor, "sentence feature"], truth: Float[Tensor, "sentence feature"]
) -> Float[Tensor, ""]:
    """InfoNCE (van den Oord et al. 2018): the mean nats by which each misses its own among all truths."""
    scores = said @ truth.T / said.shape[1] ** 0.5
    return F.cross_entropy(scores, torch.arange(len(said), device=said.device))
