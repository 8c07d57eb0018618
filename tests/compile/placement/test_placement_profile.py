import numpy as np
import pytest
import torch
from torch import nn

from pomona.compile.placement.capture.torch_module import capture_forward
from pomona.compile.placement.machine import profile, timings
from pomona.compile.placement.machine.fit_device import fit_device, predicted_us
from pomona.compile.placement.machine.machine import Device
from pomona.compile.placement.machine.timings import Timing, time_operations
from pomona.compile.placement.machine.yaml_file import read_machine, write_machine
from pomona.foundation.errors import InputError
from pomona.foundation.randomness import stream

REAL = Device("real", 90e9, 20e9, 1e9, 3.0, {"matmul": 1.0, "convolution": 0.4, "gelu": 0.02})


def made_up(num, noise, seed=0):
    """Operations of a known device, from tiny to large, their times off by some part."""
    generator = stream(seed, "made-up timings")
    ops = ["matmul", "convolution", "gelu", "add", "copy"]
    sizes = 10 ** generator.uniform(3, 8, num)
    rows = []
    for index, size in enumerate(sizes):
        op = ops[index % len(ops)]
        flops = {"matmul": size * 30, "convolution": size * 50, "gelu": size * 2, "add": size / 4, "copy": 0}[
            op
        ]
        rows.append(Timing(op, float(flops), float(size), 1.0))
    exact = predicted_us(REAL, rows) * np.exp(noise * generator.standard_normal(num))
    return [Timing(row.op, row.flops, row.traffic_bytes, us) for row, us in zip(rows, exact, strict=True)]


def test_a_known_device_is_found_again():
    fit = fit_device(made_up(200, 0.0), name="found", memory_bytes=1e9)
    assert fit.device.launch_us == pytest.approx(3, rel=0.01)
    assert fit.device.bytes_per_s == pytest.approx(20e9, rel=0.01)
    for op in ("matmul", "convolution", "gelu"):
        rate = fit.device.flops_per_s * fit.device.efficiency[op]
        assert rate == pytest.approx(90e9 * REAL.efficiency[op], rel=0.01)
    assert fit.median_error < 0.01
    assert abs(fit.total_error) < 0.01


def test_the_error_that_it_reports_is_that_of_unseen_operations():
    fit = fit_device(made_up(400, 0.2), name="found", memory_bytes=1e9)
    fresh = made_up(400, 0.2, seed=1)
    measured = np.array([one.run_us for one in fresh])
    error = np.median(np.abs(predicted_us(fit.device, fresh) / measured - 1))
    assert fit.num_held_out == 100
    assert fit.median_error == pytest.approx(error, abs=0.05)


def test_too_few_timings_are_refused():
    with pytest.raises(InputError, match="at least 8"):
        fit_device(made_up(7, 0.0), name="found", memory_bytes=1e9)


@pytest.fixture
def captured():
    module = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Flatten(0))
    return capture_forward(module, (torch.zeros(4, 8),))


def test_each_distinct_operation_is_timed_once_and_remembered(captured, tmp_path, monkeypatch):
    monkeypatch.setenv("POMONA_CACHE", str(tmp_path))
    monkeypatch.setattr(timings, "SECONDS", 0.0)
    seen = []
    found = time_operations([captured, captured], on_progress=lambda done, total: seen.append((done, total)))
    assert [one.op for one in found] == ["matmul", "relu"]
    assert found[0].flops == 2 * 4 * 8 * 8
    assert min(one.run_us for one in found) > 0
    assert seen == [(1, 2), (2, 2)]
    monkeypatch.setattr(timings, "_time_us", None)
    assert time_operations([captured]) == found


def test_a_measured_machine_is_a_machine(captured, tmp_path, monkeypatch):
    monkeypatch.setattr(profile, "time_operations", lambda *_, **__: made_up(40, 0.1))
    monkeypatch.setattr(profile, "_num_present", lambda _: 2)
    made = profile.profile_machine(2, captured=[captured], memory_bytes=5e9)
    assert [device.name for device in made.machine.devices] == ["core0", "core1"]
    assert made.machine.devices[1].memory_bytes == 5e9
    (link,) = made.machine.links
    assert (link.mode, link.bytes_per_s > 1e8, link.latency_us > 0) == ("shared", True, True)
    write_machine(made.machine, tmp_path / "machine.yaml")
    assert read_machine(tmp_path / "machine.yaml") == made.machine
    with pytest.raises(InputError, match="has 2 cores, 3 were wanted"):
        profile.profile_machine(3)


def test_other_kinds_of_devices_are_refused():
    with pytest.raises(InputError, match="cpu or cuda"):
        profile.profile_machine(1, device="tpu")
