"""Asking many models at once: the same as asking each, on any number of threads."""

import pytest
import torch

from pomona.fit.evaluate import evaluating
from pomona.fit.population import spread
from pomona.foundation.run import temporary_run
from pomona.networks.build import build
from pomona.networks.default import default_spec
from pomona.question.stress.asking import asking
from pomona.tasks.load import load_task

NUM_MODELS = 5


@pytest.mark.parametrize("how", ["loop", "vmap", "chunk:2"])
@pytest.mark.parametrize("threads", [1, 3, 8])
def test_every_model_says_what_it_says_alone(how, threads):
    spec = default_spec(load_task("digits"))
    networks = [build(spec, seed).eval() for seed in range(NUM_MODELS)]
    state = spread(lambda seed: networks[seed].state_dict(), range(NUM_MODELS))
    inputs = {"image": torch.randn(40, 1, 8, 8, generator=torch.Generator().manual_seed(0))}
    before = torch.get_num_threads()
    with temporary_run(threads=threads) as run, evaluating(networks[0]):
        run.decide("how a population is run", "scores", lambda: how)
        with asking(networks[0], state, run) as ask:
            (found,) = ask(inputs).values()
        alone = torch.stack([next(iter(network(inputs).values())) for network in networks])
    torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-5)
    assert torch.get_num_threads() == before
