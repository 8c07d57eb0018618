"""What the recipe of long sequences says of itself."""

import pytest

from pomona.fit.settings import FitSettings
from pomona.foundation.errors import SettingError
from pomona.foundation.run import temporary_run
from pomona.networks.shapes import signals
from pomona.recipes.long_sequences import ATTENTIONS, find_needles, lengths_up_to, needle_network
from pomona.tasks import load_task


def test_lengths_double_and_end_where_wanted():
    assert lengths_up_to(1024) == (128, 256, 512, 1024)
    assert lengths_up_to(64) == (64,)
    assert lengths_up_to(300) == (128, 256, 300)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_every_attention_trains_on_from_shorter_sequences(attention):
    with temporary_run(seed=1) as run:
        result = find_needles(attention, time=192, settings=FitSettings(steps=2, batch_size=2), run=run)
    assert result.steps == 2
    assert signals(result.spec)["head"].shape == (192, 8)
    assert 0.0 <= result.valid["accuracy"] <= 1.0


def test_an_unknown_attention_is_named_with_the_known_ones():
    task = load_task("needle", num_train=10, time=64)
    with pytest.raises(SettingError, match="bigbird"):
        needle_network(task, "bigbrid")  # type: ignore[arg-type]
