import contextlib

import numpy as np
import pytest
from hypothesis import given, settings, strategies
from one_step import normal, plan_of, sparse

from pomona.compile.sparse import tune as tuning
from pomona.compile.sparse.arena import Lifetime, offsets
from pomona.compile.sparse.choice import Choice, default_tile, guess
from pomona.compile.sparse.columns import encode, groups_of
from pomona.compile.sparse.layout import Tile, packed, plain, spaced, tiles
from pomona.compile.sparse.machine import Kernel, Library, object_code, this_machine
from pomona.compile.sparse.plan import Plan, Step, Tensor
from pomona.compile.sparse.program import compile_plan
from pomona.compile.sparse.tune import tune
from pomona.foundation.console import Console, Progress
from pomona.foundation.errors import DataError, SettingError

numbers = strategies.integers
few = settings(max_examples=40, deadline=None, derandomize=True)


@few
@given(
    numbers(0, 2**32), numbers(1, 30), numbers(1, 60), numbers(1, 4), numbers(1, 20), strategies.booleans()
)
def test_columns_hold_every_weight_once(seed, outputs, inputs, rows, chunk, keeps_zeros):
    weight = sparse(np.random.default_rng(seed), (outputs, inputs), 0.7, 1)
    found = encode(weight, groups_of(outputs, rows), chunk=chunk, pitch=16, keeps_zeros=keeps_zeros)
    again = np.zeros_like(weight)
    word = column = 0
    for num_groups, begin in found.chunks:
        for _ in range(num_groups):
            count, *channels = found.groups[word : word + 1 + rows]
            word += 1 + rows
            for place in found.columns[column : column + count]:
                number = begin // 64 + place // 8
                again[channels, number] = found.weights[column * rows : column * rows + rows]
                column += 1
    np.testing.assert_array_equal(again, weight)
    assert column == found.num_columns


@few
@given(strategies.lists(strategies.tuples(numbers(1, 5000), numbers(0, 9), numbers(0, 9)), max_size=12))
def test_tensors_that_live_together_lie_apart(triples):
    lifetimes = [
        Lifetime(str(index), size, min(first, last), max(first, last))
        for index, (size, first, last) in enumerate(triples)
    ]
    begins, whole = offsets(lifetimes)
    for one in lifetimes:
        assert begins[one.name] % 64 == 0
        assert begins[one.name] + one.size_bytes <= whole
        for other in lifetimes:
            together = one.first <= other.last and other.first <= one.last
            if one is not other and together:
                low, high = sorted((one, other), key=lambda each: begins[each.name])
                assert begins[low.name] + low.size_bytes <= begins[high.name]


@few
@given(numbers(1, 3), numbers(1, 20), numbers(1, 90), numbers(0, 5))
def test_every_pixel_has_a_place_of_its_own(channels, height, width, which):
    found = tiles(height, width, 4, 6)
    shape = (channels, height, width)
    for layout in (plain(shape), spaced(shape), packed(shape, found[which % len(found)], 4)):
        places = {
            layout.offset(row, column) + channel * 4 * layout.pitch
            for channel in range(channels)
            for row in range(height)
            for column in range(width)
        }
        assert len(places) == channels * height * width
        assert max(places) < layout.size_bytes
        assert sum(map(layout.num_pixels, range(layout.num_blocks))) == height * width


def test_the_default_tile_fills_whole_vectors_where_it_can():
    assert default_tile(28, 28, 16) == Tile(4, 28)
    assert default_tile(112, 112, 16) == Tile(1, 112)


def test_a_dense_weight_gets_a_dense_kernel_and_a_blocked_one_its_block():
    generator = np.random.default_rng(0)
    assert guess(normal(generator, 64, 64), 28, 28, 16).kernel == "dense"
    found = guess(sparse(generator, (64, 64), 0.8, 2), 28, 28, 16)
    assert (found.kernel, found.rows) == ("sparse", 2)


def layer(generator: np.random.Generator):
    weights = {"weight": sparse(generator, (12, 20), 0.8, 1), "bias": normal(generator, 12)}
    return plan_of("pointwise", [(20, 7, 7)], (12, 7, 7), weights=weights)


def test_tuning_measures_a_layer_once(tmp_path, monkeypatch):
    monkeypatch.setenv("POMONA_CACHE", str(tmp_path))
    monkeypatch.setattr(tuning, "REPEATS", 1)
    plan = layer(np.random.default_rng(1))
    first = tune(plan)
    assert set(first) == {"y"}
    monkeypatch.setattr(tuning, "_measured", None)
    assert tune(plan) == first
    assert compile_plan(plan, choices=first).choices == first


class Counting(Console):
    """Remembers how long its bars were."""

    def __init__(self):
        super().__init__(quiet=True)
        self.bars: list[Progress] = []

    @contextlib.contextmanager
    def progress(self, label, total, unit=""):
        self.bars.append(Progress(total))
        yield self.bars[-1]


def test_only_what_is_new_to_this_machine_shows_a_bar_and_an_interrupt_keeps_it(tmp_path, monkeypatch):
    monkeypatch.setenv("POMONA_CACHE", str(tmp_path))
    plan, console = two_layers(), Counting()
    made: list[tuple] = []

    def measured(weight, size, step, threads, machine):
        made.append(weight.shape)
        if len(made) == 2:
            raise KeyboardInterrupt
        return [(Choice("sparse", 1, Tile(1, 7), 8), 1.0)]

    monkeypatch.setattr(tuning, "_measured", measured)
    with pytest.raises(KeyboardInterrupt):
        tune(plan, console=console)
    tune(plan, console=console)
    assert made == [(12, 20), (8, 12), (8, 12)]
    assert [(bar.total, bar.done) for bar in console.bars] == [(2, 1), (1, 1)]
    tune(plan, console=console)
    assert len(console.bars) == 2


def two_layers() -> Plan:
    """One 1x1 convolution after another."""
    generator = np.random.default_rng(3)
    shapes = {"x": (20, 7, 7), "y": (12, 7, 7), "z": (8, 7, 7)}
    tensors = {name: Tensor(name, shape) for name, shape in shapes.items()}
    steps = []
    for read, written in (("x", "y"), ("y", "z")):
        size = (shapes[written][0], shapes[read][0])
        weights = {"weight": sparse(generator, size, 0.8, 1), "bias": normal(generator, size[0])}
        steps.append(Step("pointwise", (read,), written, weights, {"activation": "none"}))
    return Plan((tensors["x"],), tensors, tuple(steps), ("z",))


def test_a_damaged_memory_of_tuning_is_measured_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("POMONA_CACHE", str(tmp_path))
    monkeypatch.setattr(tuning, "REPEATS", 1)
    plan = layer(np.random.default_rng(2))
    tune(plan)
    for kept in (tmp_path / "tuned").iterdir():
        kept.write_text("{")
    assert set(tune(plan)) == {"y"}


def test_a_damaged_object_file_is_compiled_again(tmp_path, monkeypatch):
    monkeypatch.setenv("POMONA_CACHE", str(tmp_path))
    kernel = Kernel("nothing", "define void @nothing(ptr %arguments) {\n  ret void\n}\n")
    code = object_code(kernel, this_machine())
    (kept,) = (tmp_path / "kernels").iterdir()
    kept.write_bytes(kept.read_bytes()[:-7])
    assert object_code(kernel, this_machine()) == code
    Library([kernel], this_machine()).function(kernel)(0)


def test_wrong_requests_are_refused():
    plan = layer(np.random.default_rng(3))
    with pytest.raises(SettingError, match="threads must be at least 1"):
        compile_plan(plan, threads=0)
    with pytest.raises(SettingError, match="vector width"):
        this_machine("avx1024")
    with pytest.raises(DataError, match="takes 1 inputs"):
        compile_plan(plan).run()
    with pytest.raises(DataError, match=r"shape \(20, 7, 7\)"):
        compile_plan(plan).run(np.zeros((3, 7, 7), np.float32))
