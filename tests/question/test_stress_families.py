"""Families of stresses: what they change, what they leave, and that they are the same whenever read."""

from dataclasses import replace

import numpy as np
import pytest

from pomona.foundation.errors import DataError, SettingError
from pomona.question.stress.settings import StressSettings
from pomona.question.stress.splits import make_splits
from pomona.question.stresses.changed import BLOCK, ChangedSource
from pomona.question.stresses.columns import columns_of
from pomona.question.stresses.contrastive import PairSource, swap_genders, swap_names
from pomona.question.stresses.families import FAMILIES
from pomona.question.stresses.pixels import on_pixels
from pomona.question.stresses.stratified import stratified
from pomona.question.stresses.text import on_texts, paraphrase, text_steps, texts_of, typos
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import check_batch
from pomona.tasks.load import load_task
from pomona.tasks.preprocessing.audio import fit_audio
from pomona.tasks.preprocessing.categories import fit_categories
from pomona.tasks.preprocessing.numbers import fit_numbers
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.preprocessing.targets import category_target
from pomona.tasks.preprocessing.tokens import fit_tokens
from pomona.tasks.source import ArraySource
from pomona.tasks.task import Task

TEXTS = (
    "could you tell me what his mother said",
    "john and mary want to buy a big boat",
    "is she with him or her father?",
)


def text_task(unit: str = "word") -> Task:
    raw = {
        "text": np.array([TEXTS[index % 3] for index in range(90)], object),
        "side": np.array(["a", "b", "c"] * 30, object),
    }
    step = fit_tokens("text", raw["text"], unit=unit)
    return task_of_arrays(
        "texts", "classify", dict.fromkeys(("train", "valid", "test"), raw), Preprocessing((step,)),
        {"side": category_target("side", raw["side"])},
    )  # fmt: skip


def table_task() -> Task:
    generator = np.random.default_rng(0)
    raw = {
        "width": generator.normal(100, 5, 120),
        "heavy": np.exp(3 * generator.standard_normal(120)),
        "gaps": np.where(generator.random(120) < 0.2, np.nan, generator.normal(size=120)),
        "town": generator.choice(np.array(["north", "south", None], object), 120),
        "side": generator.choice(np.array(["a", "b"], object), 120),
    }
    numbers = fit_numbers({name: raw[name] for name in ("width", "heavy", "gaps")})
    steps = (numbers, fit_categories("town", raw["town"]))
    return task_of_arrays(
        "tables", "classify", dict.fromkeys(("train", "valid", "test"), raw), Preprocessing(steps),
        {"side": category_target("side", raw["side"])},
    )  # fmt: skip


def audio_task() -> Task:
    waves = np.sin(np.arange(800) * np.linspace(0.05, 0.6, 40)[:, None]).astype(np.float32)
    raw = {"audio": waves, "side": np.array(["a", "b"] * 20, object)}
    step = fit_audio("audio", np.full(40, 0.1), rate=8000)
    return task_of_arrays(
        "sounds", "classify", dict.fromkeys(("train", "valid", "test"), raw), Preprocessing((step,)),
        {"side": category_target("side", raw["side"])},
    )  # fmt: skip


TASKS = {
    "corruptions": lambda: load_task("digits"),
    "audio": audio_task,
    "table": table_task,
    "text": text_task,
    "series": lambda: load_task("seasonal-series", num_series=6),
    "stratified": table_task,
    "shifted": lambda: load_task("two-cues"),
    "contrastive": lambda: load_task("digits"),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_stress_is_a_split_of_the_task_that_reads_the_same_in_any_order(family):
    task = TASKS[family]()
    found = FAMILIES[family](task, 0)
    assert found
    for source in list(found.values())[::7]:
        ids = np.array([min(source.size - 1, place) for place in (BLOCK + 3, 0, 17, BLOCK + 2)])
        some = source.read(ids)
        check_batch(some, {**task.inputs, **task.targets})
        for place, index in enumerate(ids):
            alone = source.read(np.array([index]))
            assert all(np.array_equal(alone[name][0], some[name][place]) for name in alone)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_nothing_for_other_inputs(family):
    kinds = {
        "corruptions": "image",
        "audio": "audio",
        "table": "vector",
        "text": "tokens",
        "series": "series",
    }
    for task in (text_task(), table_task(), audio_task()):
        if kinds.get(family) not in (None, *(feature.kind for feature in task.inputs.values())):
            assert FAMILIES[family](task, 0) == {}


def test_stresses_leave_targets_alone_and_change_inputs():
    task = load_task("digits")
    clean = task.splits["test"]
    ids = np.arange(50)
    for name, source in FAMILIES["corruptions"](task, 0).items():
        batch = source.read(ids)
        assert np.array_equal(batch["digit"], clean.read(ids)["digit"])
        if name.endswith("5"):
            assert not np.allclose(batch["image"], clean.read(ids)["image"]), name


def test_another_seed_draws_another_noise_and_one_stress_does_not_move_another():
    task = load_task("digits")
    first, again, other = (FAMILIES["corruptions"](task, seed) for seed in (0, 0, 1))
    ids = np.arange(5)
    assert np.array_equal(first["fog-3"].read(ids)["image"], again["fog-3"].read(ids)["image"])
    assert not np.array_equal(first["fog-3"].read(ids)["image"], other["fog-3"].read(ids)["image"])


def test_pixels_come_back_unchanged():
    task = load_task("digits")
    batch = task.splits["test"].read(np.arange(20))
    same = on_pixels(task, lambda pixels, generator: pixels)(batch, np.random.default_rng(0))
    assert np.allclose(same["image"], batch["image"], atol=1e-5)


@pytest.mark.parametrize("unit", ["word", "character", "space"])
def test_texts_come_back_unchanged(unit):
    task = text_task(unit)
    batch = task.splits["test"].read(np.arange(9))
    same = on_texts(text_steps(task), lambda text, generator: text)(batch, np.random.default_rng(0))
    assert all(np.array_equal(same[name], batch[name]) for name in batch)
    if unit == "character":
        assert texts_of(text_steps(task)[0], batch["text"])[:3] == list(TEXTS)


def test_columns_of_a_table_know_their_places_and_units():
    task = table_task()
    columns = {column.name: column for column in columns_of(task)}
    batch = task.splits["test"].read(np.arange(120))
    raw = np.random.default_rng(0).normal(100, 5, 120)
    width = columns["width"]
    assert np.allclose(width.raw(batch["columns"][:, width.places[0]]), raw, rtol=1e-4)
    heavy = columns["heavy"]
    assert heavy.spread > 0
    values = batch["columns"][:, heavy.places[0]]
    assert np.allclose(heavy.prepared(heavy.raw(values)), values, atol=1e-4)
    assert set(columns["town"].levels) == {"north", "south"}
    assert set(np.unique(batch["columns"][:, columns["gaps"].missing])) == {0, 1}
    assert max(columns["town"].missing, *columns["town"].places) + 1 == batch["columns"].shape[1]


def test_table_stresses_do_what_they_say():
    task = table_task()
    clean, ids = task.splits["test"], np.arange(120)
    before = clean.read(ids)["columns"]
    found = FAMILIES["table"](task, 0)
    columns = {column.name: column for column in columns_of(task)}
    gone = found["missing-heavy"].read(ids)["columns"]
    town = columns["town"]
    assert 0.5 < gone[:, town.missing].mean() - before[:, town.missing].mean() + 0.4 < 0.9
    assert ((gone[:, [*town.places, town.missing]] == 1).sum(1) == 1).all()
    drift = found["drifted-heavy"].read(ids)["columns"] - before
    assert set(np.abs(drift).max(0).round(3)) == {0.0, 2.0}
    assert np.ptp(drift, axis=0).max() < 1e-5
    changed = [name for name, column in columns.items() if column.kind == "numbers"
               and not np.allclose(found["rescaled-light"].read(ids)["columns"][:, column.places[0]],
                                   before[:, column.places[0]])]  # fmt: skip
    assert len(changed) == 1


def test_rewriting_keeps_words_or_mistypes_them_as_often_as_told():
    generator = np.random.default_rng(0)
    text = " ".join(["letters"] * 4000)
    share = np.mean([word != "letters" for word in typos(text, generator, share=0.15).split(" ")])
    # two of the seven letters are the same, so that a swap may change nothing
    assert 0.12 < share < 0.17
    assert "said" not in paraphrase("what his mother said", generator).split()
    assert swap_genders("his aunt saw him", generator) == "her uncle saw her"
    assert swap_genders("his aunt", generator, known=frozenset(["uncle"])) == "his uncle"
    swapped = swap_names("john met mary", generator).split()
    assert swapped[1] == "met"
    assert swapped[0] not in ("john", "james")


def test_pairs_hold_only_texts_with_something_to_change():
    found = FAMILIES["contrastive"](text_task(), 0)
    pairs = found["pair-genders"]
    assert isinstance(pairs, PairSource)
    ids = np.arange(pairs.size)
    one, other = pairs.first.read(ids)["text"], pairs.read(ids)["text"]
    assert (one != other).any(axis=1).all()


def test_groups_are_the_examples_of_a_value_and_small_ones_are_left_out():
    task = table_task()
    found = stratified(task, 0, by=("town", "width"))
    assert {"town=north", "town=south", "width=lowest", "width=highest"} <= set(found)
    batch = task.splits["test"].read(np.arange(120))["columns"]
    columns = {column.name: column for column in columns_of(task)}
    north = batch[found["town=north"].ids]
    place = columns["town"].places[columns["town"].levels.index("north")]
    assert (north[:, place] == 1).all()
    lowest, rest = found["width=lowest"].ids, found["width=highest"].ids
    assert batch[lowest, 0].max() < batch[rest, 0].min()
    with pytest.raises(SettingError, match="did you mean 'town'"):
        stratified(task, 0, by=("twon",))


def test_splits_pair_stresses_with_the_clean_examples_they_come_from():
    task = load_task("digits")
    splits = make_splits(task, StressSettings(examples=60), seed=0)
    assert splits.clean.size == 60
    assert np.array_equal(splits.pairs("fog-1"), np.arange(60))
    assert np.array_equal(splits.pairs("pair-one-pixel-right"), np.arange(60))
    many = make_splits(task, StressSettings(), seed=0)
    digits = many.clean.read(np.arange(many.clean.size))["digit"]
    assert (digits[many.pairs("digit=3")] == 3).all()
    shifted = make_splits(load_task("two-cues"), StressSettings(), seed=0)
    assert shifted.pairs("conflict") is None


def test_a_users_own_stress_is_one_function(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "def much_darker(batch, generator):\n    return batch | {'image': batch['image'] - 1}\n"
        "def parts(task, seed):\n    return {'whole': task.splits['test']}\n"
    )
    settings = StressSettings(stress=file, families=("shifted",))
    splits = make_splits(load_task("digits"), settings, seed=0)
    assert set(splits.stresses) == {"much-darker", "whole"}
    ids = np.arange(3)
    assert np.allclose(splits.stresses["much-darker"].read(ids)["image"], splits.clean.read(ids)["image"] - 1)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1", "has no stress: write"),
        ("def s(batch, generator):\n    return {'digit': batch['digit']}", "the stress 's'.*lacks 'image'"),
        ("def s(batch, generator):\n    return batch | {'digit': batch['digit'] + 5}", "outside 0..9"),
        ("def s(batch, generator):\n    return batch['nothing']", "fails: KeyError"),
        ("1/0", "fails: ZeroDivisionError"),
    ],
)
def test_a_stress_that_is_none_is_refused(tmp_path, code, message):
    file = tmp_path / "mine.py"
    file.write_text(code)
    with pytest.raises((DataError, SettingError), match=message):
        make_splits(load_task("digits"), StressSettings(stress=file), seed=0)


def test_a_users_split_is_read_and_one_with_other_classes_is_refused(tmp_path):
    task = load_task("wine")
    columns = task.preprocessing.columns
    rows = [",".join([*columns, "cultivar"])]
    target = next(iter(task.targets))
    rows[0] = ",".join([*(f'"{c}"' for c in columns), target])
    values = ["1.5"] * len(columns)
    good = tmp_path / "elsewhere.csv"
    label = task.targets[target].classes[0]
    good.write_text("\n".join([*rows, *[",".join([*values, label])] * 25]))
    settings = StressSettings(families=("shifted",), shifted=(f"elsewhere={good}",))
    splits = make_splits(task, settings, seed=0)
    assert splits.stresses["elsewhere"].size == 25
    check_batch(splits.stresses["elsewhere"].read(np.arange(25)), {**task.inputs, **task.targets})
    bad = tmp_path / "others.csv"
    bad.write_text("\n".join([*rows, *[",".join([*values, "a new class"])] * 25]))
    with pytest.raises(DataError, match="a new class"):
        make_splits(task, replace(settings, shifted=(str(bad),)), seed=0)


def test_too_few_examples_too_few_models_and_unknown_families_are_refused():
    task = load_task("digits")
    few = replace(task, splits={**task.splits, "few": ArraySource(task.splits["test"].read(np.arange(5)))})
    with pytest.raises(DataError, match="'few' has 5 examples; a stress test needs at least 20"):
        make_splits(few, StressSettings(), seed=0)
    with pytest.raises(SettingError, match="models must be at least 5, got 1"):
        StressSettings(models=1)
    with pytest.raises(SettingError, match="did you mean 'corruptions'"):
        make_splits(task, StressSettings(families=("corruption",)), seed=0)


def test_a_changed_source_may_be_empty_and_large():
    source = ChangedSource(
        ArraySource({"x": np.arange(BLOCK * 2 + 5)}), lambda batch, generator: batch, "s", 0
    )
    assert len(source.read(np.arange(0))["x"]) == 0
    assert np.array_equal(source.read(np.array([260, 0, 128]))["x"], [260, 0, 128])
