from pathlib import Path

import pytest

from pomona.compile.placement.machine import yaml_file
from pomona.compile.placement.machine.machine import Device, Link, Machine
from pomona.compile.placement.machine.presets import PRESETS
from pomona.compile.placement.machine.subject import machine_of
from pomona.compile.placement.machine.yaml_file import read_machine, write_machine
from pomona.foundation.errors import InputError

EXAMPLE = yaml_file.__doc__.split("```yaml\n")[1].split("```")[0]


def file_with(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "devices.yaml"
    path.write_text(text)
    return path


def test_the_documented_example_means_what_it_says(tmp_path):
    machine = machine_of(str(file_with(tmp_path, EXAMPLE)))
    assert [device.name for device in machine.devices] == ["gpu0", "gpu1", "cpu"]
    assert machine.devices[1].flops_per_s == 14e12
    assert machine.devices[1].efficiency == {"convolution": 0.7}
    to_cpu, between = machine.links[machine.routes[0][2]], machine.links[machine.routes[0][1]]
    assert (to_cpu.bytes_per_s, to_cpu.latency_us, to_cpu.mode) == (12e9, 10, "serial")
    assert (between.bytes_per_s, between.name) == (50e9, "nvlink from gpu0 to gpu1")
    # the cpu's transfers to both cards take turns on its one link, the cards' own links are theirs
    assert machine.routes[2][0] == machine.routes[2][1]
    assert machine.routes[0][1] != machine.routes[1][0]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_their_files(tmp_path, name):
    machine = machine_of(name)
    write_machine(machine, tmp_path / "machine.yaml")
    assert read_machine(tmp_path / "machine.yaml") == machine


def test_a_number_is_that_many_default_devices_with_a_bus_each():
    machine = machine_of("4", memory_bytes=2e9)
    assert len(machine.devices) == len(machine.links) == 4
    assert {device.memory_bytes for device in machine.devices} == {2e9}
    assert machine.routes[1] == (1, -1, 1, 1)
    assert machine_of("1").links == ()


def test_placetos_machine_has_its_published_constants():
    machine = machine_of("p2.8xlarge")
    assert len(machine.devices) == 8
    link = machine.links[machine.routes[3][5]]
    assert (link.bytes_per_s / 1e6, link.latency_us, link.mode) == (7600, 25, "serial")
    assert machine.devices[0].launch_us == 5.7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("devices: []", "devices should be a list"),
        ("- 1", "the machine should have fields"),
        ("devices: [{name: a}]", "'a' has no flops_per_s"),
        (EXAMPLE.replace("14e12", "fast"), "flops_per_s of 'gpu' should be a number, is 'fast'"),
        (EXAMPLE.replace("14e12", "-1"), "flops_per_s of device 'gpu' should be a number above 0"),
        (EXAMPLE.replace("launch_us", "lunch_us"), "unknown field 'lunch_us'"),
        (EXAMPLE.replace("each: pair", "each: link"), "each of link 'nvlink'"),
        (EXAMPLE.replace("mode: serial", "mode: sequel"), "mode of link 'pcie"),
        (EXAMPLE.replace("from: [gpu]", "from: [tpu]"), "names 'tpu', which is no device"),
        (EXAMPLE.split("links:")[0], "no link leads from 'gpu0' to 'gpu1'"),
        (EXAMPLE.replace("count: 2", "count: 0"), "count of device 'gpu'"),
        ("devices: [", "cannot be read"),
    ],
)
def test_what_makes_no_machine_is_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(InputError) as caught:
        read_machine(file_with(tmp_path, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "memory", "message"),
    [
        ("0", None, "between 1 and"),
        ("gpu-3", None, "did you mean"),
        ("2", -1.0, "memory"),
        ("x.yaml", None, "x.yaml"),
    ],
)
def test_wrong_names_are_refused(text, memory, message):
    with pytest.raises(InputError, match=message):
        machine_of(text, memory_bytes=memory)


def test_routes_must_name_links():
    device, link = Device("a", 1, 1, 1, 0), Link("l", 1, 0)
    for devices, routes in (((), ()), ((device,), ((0,),)), ((device, device), ((-1, 0), (0, -1)))):
        with pytest.raises(InputError):
            Machine("m", devices, (link,), routes)
