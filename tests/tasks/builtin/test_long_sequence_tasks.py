import numpy as np
import pytest

from pomona.foundation.errors import DataError
from pomona.tasks import load_task
from pomona.tasks.builtin import listops, needle, novels, pathfinder, promoter, text_needle
from pomona.tasks.feature import mask_key


def whole(task, split):
    return task.splits[split].read(np.arange(task.splits[split].size))


def test_a_needle_is_answered_by_looking_its_key_up():
    batch = whole(load_task("needle", num_train=200, time=256), "train")
    for text, value, asked in zip(batch["text"], batch["value"], batch[mask_key("value")], strict=True):
        facts = text[(text >= needle.FIRST_FACT) & (text < needle.FIRST_FILLER)] - needle.FIRST_FACT
        assert len(facts) == needle.NUM_KEYS
        said = {fact // needle.NUM_VALUES: fact % needle.NUM_VALUES for fact in facts}
        keys = text[asked] - needle.FIRST_QUESTION
        assert sorted(keys) == list(range(needle.NUM_KEYS))
        assert [said[key] for key in keys] == value[asked].tolist()


def test_needles_lie_evenly_in_the_first_seven_eighths():
    text = whole(load_task("needle", num_train=2000, time=512), "train")["text"]
    is_fact = (text >= needle.FIRST_FACT) & (text < needle.FIRST_FILLER)
    per_stretch = is_fact.sum(0).reshape(8, 64).sum(1)
    assert per_stretch[-1] == 0
    assert per_stretch[:-1].min() > 0.9 * per_stretch[:-1].max()


def test_listops_values_are_those_of_the_expressions():
    batch = whole(load_task("listops", num_train=200, time=256), "train")
    lengths = batch[mask_key("expression")].sum(1)
    assert lengths.min() >= 128
    for ids, length, value in zip(batch["expression"], lengths, batch["value"], strict=True):
        assert listops.value_of(" ".join(listops.VOCABULARY[i] for i in ids[:length])) == value
    assert np.bincount(batch["value"], minlength=10).min() > 0


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[MAX 4 3 [MIN 2 3 ] 1 0 [MED 1 5 8 9 2 ] ]", 5),
        ("[SM 9 9 [MED 1 2 ] ]", 9),
        ("[MIN 3 [MAX 8 9 ] ]", 3),
    ],
)
def test_listops_are_reckoned_as_published(expression, value):
    """The first is the example of the Long Range Arena's paper."""
    assert listops.value_of(expression) == value


def test_neither_motif_alone_tells_a_promoter():
    batch = whole(load_task("promoter", num_train=1000, time=256), "train")
    text = ["".join(" ACGT"[base] for base in row) for row in batch["bases"]]
    is_promoter = batch["promoter"] == 1
    seen = np.array([[[motif in row for motif in pair] for pair in promoter.FAMILIES] for row in text])
    for family, place in np.ndindex(2, 2):
        share = is_promoter[seen[:, family, place]].mean()
        assert 0.4 < share < 0.6
    both = seen.all(2).any(1)
    assert is_promoter[both].all()


def test_dots_are_joined_by_a_path_or_else_on_two(monkeypatch):
    """Without gaps and short curves, dots in one region are joined, save where the two curves cross."""
    from scipy import ndimage

    monkeypatch.setattr(pathfinder, "GAP", 0.0)
    monkeypatch.setattr(pathfinder, "NUM_SHORT", 0)
    batch = whole(load_task("pathfinder", num_train=300), "train")
    together = []
    for image in batch["pixels"].reshape(-1, 32, 32):
        regions, _ = ndimage.label(image > 1, structure=np.ones((3, 3)))
        together.append(len(set(regions[image == pathfinder.NUM_LEVELS])) == 1)
    joined = batch["joined"] == 1
    assert np.array(together)[joined].all()
    assert np.mean(np.array(together)[~joined]) < 0.9


@pytest.mark.parametrize(
    ("name", "option"), [("needle", "time"), ("promoter", "time"), ("pathfinder", "size")]
)
def test_too_short_a_sequence_is_refused_in_one_line(name, option):
    with pytest.raises(DataError, match="at least"):
        load_task(name, **{option: 8})


def test_the_novels_are_whole(assets):
    assets("novels")
    chapters = novels.read_chapters()
    assert {novel: len(found) for novel, found in chapters.items()} == {
        "Emma": 55,
        "Mansfield Park": 48,
        "Northanger Abbey": 31,
        "Persuasion": 24,
        "Pride and Prejudice": 61,
        "Sense and Sensibility": 50,
    }
    assert chapters["Pride and Prejudice"][0].startswith("It is a truth universally acknowledged, that a")
    assert chapters["Persuasion"][-1].endswith("than in its national importance. Finis")


def test_no_passage_of_test_shares_a_sentence_with_training(assets):
    assets("novels")
    train, test = (
        {
            tuple(row[start : start + 60])
            for row in whole(load_task("long-text"), split)["text"]
            for start in (0, 900)
        }
        for split in ("train", "test")
    )
    assert not train & test


def test_novels_of_text_needle_are_not_shared_between_splits(assets):
    assets("novels")
    task = load_task("text-needle", num_train=50, time=1024)
    batch = whole(task, "test")
    assert batch["text"].max() < task.inputs["text"].num_tokens
    assert text_needle.character_ids("A b").tolist() == [1, 0, 2]
