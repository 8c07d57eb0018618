import itertools

import pytest
import torch

from pomona.networks.bigbird import BigBirdSettings, start
from pomona.networks.bigbird_decoder import BigBirdWriter

SMALL = BigBirdSettings(
    num_steps=64, num_positions=64, num_tokens=7, width=16, num_layers=1, num_heads=2, inner_width=24,
    block_size=8, dropout=0.0,
)  # fmt: skip
FIRST, LAST = 1, 2


@pytest.fixture
def writer():
    model = BigBirdWriter(SMALL, max_written=5).double().eval()
    start(model, 0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn(
                parameter.shape,
                generator=torch.Generator().manual_seed(parameter.numel()),
                dtype=parameter.dtype,
            )
    return model


def case():
    tokens = torch.randint(3, 7, (2, 50), generator=torch.Generator().manual_seed(1))
    return tokens, torch.arange(50) < torch.tensor([[50], [31]])


def test_what_is_written_later_changes_nothing_before(writer):
    tokens, mask = case()
    written = torch.tensor([[1, 4, 5, 6], [1, 3, 3, 4]])
    with torch.no_grad():
        whole = writer(tokens, written, mask)
        for length in (1, 2, 3):
            torch.testing.assert_close(writer(tokens, written[:, :length], mask), whole[:, :length])


def test_padding_of_the_input_changes_nothing(writer):
    tokens, mask = case()
    written = torch.tensor([[1, 4], [1, 3]])
    dirty = tokens.masked_fill(~mask, 0)
    with torch.no_grad():
        assert torch.equal(writer(tokens, written, mask), writer(dirty, written, mask))


def test_a_wide_beam_finds_the_best_of_all_answers(writer):
    tokens, mask = case()
    found = writer.generate(tokens, mask, first=FIRST, last=LAST, num_beams=300, length_penalty=0.0)
    for row in range(2):
        best = (-torch.inf, ())
        for length in range(4):
            for words in itertools.product([w for w in range(7) if w != LAST], repeat=length):
                written = torch.tensor([[FIRST, *words]])
                with torch.no_grad():
                    logs = writer(tokens[row : row + 1], written, mask[row : row + 1]).log_softmax(-1)[0]
                score = sum(logs[place, word].item() for place, word in enumerate([*words, LAST]))
                best = max(best, (score, words))
        assert tuple(found[row]) == best[1]
