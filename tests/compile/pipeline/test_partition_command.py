import json

import numpy as np
import pytest
from pipeline_models import entries, skipping_model

from pomona.compile.pipeline import command
from pomona.compile.pipeline.chain import read_chain
from pomona.compile.pipeline.command import partition
from pomona.compile.pipeline.costs import Costs, Transfer
from pomona.compile.pipeline.partition_file import Partition, Stage, read_partition
from pomona.compile.pipeline.pipeline import Pipeline
from pomona.compile.pipeline.profile import Profile
from pomona.compile.pipeline.settings import PartitionSettings
from pomona.compile.pipeline.throughput import Throughput
from pomona.compile.pipeline.traced import trace
from pomona.compile.pipeline.transfer import measured_transfer
from pomona.foundation.errors import ArtifactError, DataError, InputError, SettingError

ASKED = ["stages", "stage_ms", "predicted_throughput", "measured_throughput", "single_throughput", "plan"]


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setenv("POMONA_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "model.onnx"
    path.write_bytes(skipping_model())
    return path


@pytest.fixture
def quick(monkeypatch):
    """Parts without processes: what they cost is tested elsewhere."""
    monkeypatch.setattr(command, "measured_transfer", lambda: Transfer(10.0, 50.0))
    monkeypatch.setattr(command, "timed_together", lambda made, folder: made)


@pytest.mark.usefixtures("quick")
def test_the_command_writes_stages_that_make_up_the_model_and_a_report(model, tmp_path):
    result = partition(model, stages=3, predict_only=True, out=tmp_path / "run", quiet=True)
    assert set(ASKED) <= result.keys()
    assert (result["stages"], len(result["stage_ms"])) == (3, 3)
    assert result["measured_throughput"] is None
    written, folder = read_partition(result["plan"])
    assert [stage.nodes[0] for stage in written.stages[1:]] == [
        stage.nodes[1] for stage in written.stages[:-1]
    ]
    assert written.predicted_throughput == pytest.approx(result["predicted_throughput"])
    assert result["predicted_throughput"] <= 1e3 / max(result["stage_ms"]) + 1e-9
    assert sorted(path.name for path in folder.glob("*.onnx")) == [f"stage-{k}.onnx" for k in (1, 2, 3)]
    titles = [json.loads(path.read_text())["title"] for path in (tmp_path / "run" / "sections").iterdir()]
    assert {"Stages", "Where it is cut, and what crosses", "If it were trained as a pipeline"} <= set(titles)
    assert partition(model, stages=3, predict_only=True, out=tmp_path / "run", quiet=True) == result
    # parts that were timed are not timed again
    kept = [json.loads(path.read_text()) for path in (tmp_path / "cache" / "profiles").iterdir()]
    assert len(kept) == 1
    assert f"0:{written.stages[-1].nodes[1]}" in kept[0]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"stages": 99}, SettingError, "99 stages are wanted, the model can be cut into"),
        ({"memory_mb": 1e-5}, SettingError, "keeps each within the memory"),
        ({"method": "best"}, SettingError, "no method 'best'"),
        ({"inputs": "none.npz"}, DataError, "is not readable as npz"),
    ],
)
def test_what_cannot_be_cut_is_refused_in_one_line(model, tmp_path, settings, error, message):
    with pytest.raises(error, match=message) as found:
        partition(
            model, **{"stages": 2, "predict_only": True, "out": tmp_path / "run", "quiet": True, **settings}
        )
    assert "\n" not in str(found.value)


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"nothing of the kind")
    (tmp_path / "notes.txt").write_text("x")
    for subject, message in (
        ("model.onnx", "as an ONNX model"),
        ("notes.txt", "is neither"),
        ("missing.onnx", "there is no artifact or file"),
    ):
        with pytest.raises(InputError, match=message):
            partition(tmp_path / subject, out=tmp_path / "run", quiet=True)
    with pytest.raises(ArtifactError):
        partition(tmp_path, out=tmp_path / "run", quiet=True)


def test_settings_that_mean_nothing_are_refused():
    for name, value in (("stages", 0), ("batch", 0), ("memory_mb", -1), ("measure_seconds", 0)):
        with pytest.raises(SettingError, match=name):
            PartitionSettings(**{name: value})


def test_the_memory_of_a_stage_is_its_parameters_once_and_the_most_that_is_alive():
    traced = trace(read_chain(skipping_model()), entries(1)[0])
    costs = Costs(traced, Profile(traced, None), Transfer(1.0, 0.0))
    chain, places = traced.chain, traced.places
    for i, j in ((0, 1), (1, 3), (0, len(places) - 1)):
        alive = max(traced.live_bytes(place) for place in range(places[i], places[j] + 1))
        assert costs.memory[i, j] == chain.part_bytes(places[i], places[j]) + alive
    assert np.isinf(costs.memory[2, 1])
    assert costs.additive[0, -1] == pytest.approx(costs.measured(0, len(places) - 1))


def test_handing_on_costs_something_and_more_for_larger_entries():
    transfer = measured_transfer()
    assert 0 < transfer.us(0) < transfer.us(4e6)
    # the owner gives and fetches: both sides
    assert transfer.owner_us(0) == pytest.approx(2 * transfer.us(0))


def test_throughput_is_the_middle_of_ratios_within_rounds():
    rounds = {
        "single": [10.0, 20, 40],
        "pipeline": [19.0, 36, 80],
        "threads": [1.0] * 3,
        "replicas": [1.0] * 3,
    }
    found = Throughput(rounds)
    assert found.ratio == pytest.approx(1.9)
    assert found.median("pipeline") == 36


@pytest.mark.slow
def test_a_pipeline_is_measured_beside_the_whole_model(model, tmp_path):
    result = partition(model, batch=64, measure_seconds=0.3, out=tmp_path / "run", quiet=True)
    assert all(result[f"{name}_throughput"] > 0 for name in ("measured", "single", "threads", "replicas"))
    (entry,) = entries(1, batch=64)
    with Pipeline(tmp_path / "run") as pipeline:
        assert next(pipeline.map([entry]))["y"].shape == (64, 3, 8)


def test_the_core_with_the_most_to_do_sets_the_pace_and_the_owner_takes_its_share():
    def paced(num_cores, owner_us, *spent):
        stages = tuple(Stage("", "", (0, 1), us, 0, 0) for us in spent)
        return Partition("m", 4, "", num_cores, owner_us, stages, ()).predicted_throughput

    assert paced(2, 0.0, 2000.0, 1000.0) == pytest.approx(4 / 0.002)
    # the third stage is on the first core again
    assert paced(2, 0.0, 2000.0, 1000.0, 500.0) == pytest.approx(4 / 0.0025)
    assert paced(2, 400.0, 2000.0, 1000.0) == pytest.approx(4 / 0.0022)
