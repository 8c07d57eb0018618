"""Records what Hugging Face's BigBird computes with random weights: bigbird_huggingface.npz.

    python tests/oracles/bigbird_huggingface.py

Made with transformers 5.17 and torch 2.13. Evaluated, the port reads block 0 instead of random blocks; in
training mode, here without dropout, it draws them by the release's plan, seeded by the layer's number.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import (
    BigBirdConfig,
    BigBirdForMaskedLM,
    BigBirdForQuestionAnswering,
    BigBirdForSequenceClassification,
    BigBirdForTokenClassification,
)

OUT = Path(__file__).with_suffix(".npz")
EVERY = 16
"""Steps of which one is recorded."""

CASES = (
    ("old plan, training", 1024, 64, True),
    ("old plan, evaluated", 1024, 64, False),
    ("new plan, training", 1000, 32, True),
    ("new plan, evaluated", 1000, 32, False),
    ("second plan, training", 320, 32, True),
    ("full", 200, 32, False),
)


def main() -> None:
    """Writes the fixture."""
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    arrays: dict[str, np.ndarray] = {}
    heads = {
        "masked-language": BigBirdForMaskedLM,
        "classes": BigBirdForSequenceClassification,
        "span": BigBirdForQuestionAnswering,
        "tags": BigBirdForTokenClassification,
    }
    for name, make in heads.items():
        torch.manual_seed(len(name))
        model = make(config(32)).double()
        for parameter in model.parameters():
            parameter.data = (parameter + 0.2 * torch.randn_like(parameter)).float().double()
        for key, tensor in model.state_dict().items():
            arrays[f"{name}/weights/{key}"] = tensor.float().numpy()
        tokens, mask = inputs(400)
        with torch.no_grad():
            arrays[f"{name}/logits"] = logits(name, model.eval(), tokens, mask)
        if name == "masked-language":
            record_cases(model.state_dict(), arrays)
    arrays["config"] = np.array(json.dumps(config(32).to_dict()))
    arrays["versions"] = np.array(f"transformers {transformers.__version__}, torch {torch.__version__}")
    np.savez_compressed(OUT, **arrays)


def record_cases(state: dict[str, torch.Tensor], arrays: dict[str, np.ndarray]) -> None:
    """The encoder's outputs at several lengths, block sizes and modes."""
    for index, (case, num_steps, block_size, is_training) in enumerate(CASES):
        model = BigBirdForMaskedLM(config(block_size)).double()
        model.load_state_dict(state)
        tokens, mask = inputs(num_steps)
        with torch.no_grad():
            hidden = model.train(is_training).bert(tokens, attention_mask=mask.long()).last_hidden_state
        arrays[f"cases/{index}"] = hidden[:, ::EVERY].numpy()
        arrays[f"cases/{index}/name"] = np.array(case)


def logits(name: str, model: torch.nn.Module, tokens: torch.Tensor, mask: torch.Tensor) -> np.ndarray:
    """The head's output; a question's mask is left out."""
    if name == "span":
        hidden = model.bert(tokens, attention_mask=mask.long()).last_hidden_state
        return model.qa_classifier(hidden)[:, ::EVERY].numpy()
    out = model(tokens, attention_mask=mask.long()).logits.numpy()
    return out[:, ::EVERY] if out.ndim == 3 else out


def inputs(num_steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens of two examples, the second one shorter, and which are real."""
    tokens = torch.from_numpy(np.random.default_rng(num_steps).integers(1, 60, (2, num_steps)))
    lengths = torch.tensor([num_steps, num_steps - num_steps // 5])
    return tokens, torch.arange(num_steps) < lengths[:, None]


def config(block_size: int) -> BigBirdConfig:
    """A small BigBird."""
    return BigBirdConfig(
        vocab_size=60,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=1024,
        block_size=block_size,
        num_random_blocks=3,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        num_labels=3 if block_size else 2,
        pad_token_id=0,
    )


if __name__ == "__main__":
    main()
