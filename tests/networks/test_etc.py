import math

import pytest
import torch

from pomona.networks.etc import EtcPretraining, EtcSettings, contrastive_loss
from pomona.networks.etc_structure import Span, read_document
from pomona.nn.global_local_attention import Structure
from pomona.nn.leaves import weights_outside_leaves
from pomona.nn.start import initialise

SMALL = EtcSettings(
    num_tokens=20, width=16, num_layers=1, num_heads=2, inner_width=24, radius=4, dropout=0.0
)  # fmt: skip


def words(document, span):
    return " ".join(document.words[span.start : span.end])


def test_sentences_and_paragraphs_of_plain_text():
    document = read_document('One two. "Three four!" Five?\n\nSix seven\neight.')
    assert [words(document, span) for span in document.spans] == [
        'One two. "Three four!" Five?',
        "Six seven eight.",
        "One two.",
        '"Three four!"',
        "Five?",
        "Six seven eight.",
    ]
    member = document.member(8, 12)
    assert member[:6].sum(1).tolist() == [5, 3, 2, 2, 1, 3]
    assert not member[6:].any()


MARKDOWN = "# A\n\nOne. Two.\n## B\nThree.\n\n## C\n\nFour.\n\n# D\nFive."
HTML = """<html><head><title>no</title></head><body><h1>A</h1><p>One. Two.</p><h2>B</h2>Three.
<script>var no;</script><h2>C</h2><p>Four.</p><h1>D</h1><div>Five.</div></body></html>"""


@pytest.mark.parametrize(("text", "form"), [(MARKDOWN, "markdown"), (HTML, "html")])
def test_a_heading_is_above_all_up_to_the_next_of_its_rank(text, form):
    document = read_document(text, form)
    headings = [(span.rank, words(document, span)) for span in document.spans if span.kind == "heading"]
    assert headings == [(1, "A One. Two. B Three. C Four."), (2, "B Three."), (2, "C Four."), (1, "D Five.")]
    assert document.spans[0] == Span("heading", 0, 7, 1)


def test_an_empty_text_has_nothing():
    for form in ("text", "markdown", "html"):
        assert read_document(" \n\n ", form).spans == ()


def case():
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(2, 20, (3, 24), generator=generator)
    member = (torch.arange(24) // 6 == torch.arange(4)[:, None]).expand(3, -1, -1)
    masked = torch.rand(3, 24, generator=generator) < 0.2
    hidden = torch.zeros(3, 4, dtype=torch.bool)
    hidden[:, 1] = True
    return tokens, torch.zeros(3, 4, dtype=torch.int64), Structure(member), masked, hidden


def test_contrastive_loss_is_that_of_its_definition():
    said, truth = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    wanted = 0.0
    for i in range(5):
        scores = [math.exp(float(said[i] @ truth[j]) / math.sqrt(8)) for j in range(5)]
        wanted -= math.log(scores[i] / sum(scores)) / 5
    assert contrastive_loss(said, truth).item() == pytest.approx(wanted, abs=1e-12)


def test_a_hidden_sentence_is_not_seen_by_its_own_prediction():
    """Its words change the truth that is to be found, and nothing of what the context says."""
    model = EtcPretraining(SMALL).eval()
    initialise(model, 0)
    tokens, kinds, structure, masked, hidden = case()
    other = tokens.clone()
    other[:, 6:12] = 5
    seen = []
    model.encoder.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    for one in (tokens, other):
        model(one, kinds, structure, masked, hidden)
    assert torch.equal(seen[0], seen[2])
    assert not torch.equal(seen[1], seen[3])


def test_both_losses_fall_when_trained_and_all_weights_are_leaves():
    model = EtcPretraining(SMALL)
    initialise(model, 0)
    assert weights_outside_leaves(model) == []
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
    losses = []
    for _ in range(25):
        words, sentences = model(*case())
        optimiser.zero_grad()
        (words + sentences).backward()
        optimiser.step()
        losses.append((words.item(), sentences.item()))
    assert losses[-1][0] < 0.8 * losses[0][0]
    assert losses[-1][1] < losses[0][1]
