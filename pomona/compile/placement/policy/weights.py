"""Reading and writing a policy's weights: safetensors in float16, the network's settings beside them."""

import json
from dataclasses import asdict
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from pomona.compile.placement.policy.network import GraphOptimizer
from pomona.compile.placement.policy.settings import NetworkSettings
from pomona.foundation.errors import AssetError
from pomona.foundation.files import write_bytes
from pomona.foundation.randomness import stream_seed

PRETRAINED = Path(__file__).with_name("pretrained.safetensors")


def new_network(settings: NetworkSettings, seed: int) -> GraphOptimizer:
    """A network with weights drawn from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "policy weights"))
        return GraphOptimizer(settings)


def write_weights(network: GraphOptimizer, path: Path) -> None:
    """The weights, rounded to float16, and the network's settings."""
    tensors = {name: value.detach().half().contiguous() for name, value in network.state_dict().items()}
    metadata = {"network": json.dumps(asdict(network.settings))}
    write_bytes(path, safetensors.torch.save(tensors, metadata))


def read_weights(path: Path = PRETRAINED) -> GraphOptimizer:
    """The network in a file; by default the one that comes with Pomona. Raises AssetError when it is none."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            settings = NetworkSettings(**json.loads(file.metadata()["network"]))
            network = new_network(settings, 0)
            network.load_state_dict({name: file.get_tensor(name).float() for name in list(file.keys())})
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, safetensors.SafetensorError) as error:
        raise AssetError(
            f"{path} should hold the weights of a placement policy but does not ({error}): "
            "make them with python -m pomona.compile.placement.policy.recipe"
        ) from error
    return network
