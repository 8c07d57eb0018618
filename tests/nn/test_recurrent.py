"""Recurrent layers with masks against torch's packed sequences."""

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from pomona.nn.recurrent import KINDS, Recurrent


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_it_is_torchs_bidirectional_layer_on_packed_sequences(kind):
    torch.manual_seed(0)
    ours = Recurrent(kind, 5, 6, bidirectional=True).double()
    torchs = KINDS[kind](5, 6, batch_first=True, bidirectional=True).double()
    state = ours.forward_layer.state_dict()
    state |= {f"{name}_reverse": value for name, value in ours.backward_layer.state_dict().items()}
    torchs.load_state_dict(state)
    x = torch.randn(4, 9, 5, dtype=torch.float64)
    lengths = torch.tensor([9, 6, 1, 3])
    mask = torch.arange(9) < lengths[:, None]
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(torchs(packed)[0], batch_first=True, total_length=9)
    torch.testing.assert_close(ours(x, mask)[mask], expected[mask], rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(ours(x), torchs(x)[0], rtol=1e-10, atol=1e-12)
