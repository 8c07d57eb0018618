"""`pomona live` as a user starts and stops it."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import urllib.request

import pytest
from websockets.sync.client import connect


@pytest.fixture
def pomona_live(tmp_path):
    """Starts the command, with the lightest models unless told others, and waits for its address."""
    processes = []

    def start(*arguments, models=("--parts", "pose", "--complexity", "0")):
        process = subprocess.Popen(
            [sys.executable, "-m", "pomona", "live", "--port", "0", *arguments, *models],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "POMONA_THREADS": "1"},
        )
        processes.append(process)
        while line := process.stderr.readline():
            if found := re.search(r"live at (\S+)", line):
                return process, found[1]
        pytest.fail("it says no address")

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def refused(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "pomona", "live", *arguments], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def memory_mb(process):
    with open(f"/proc/{process.pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_in_good_order_and_says_what_it_did(pomona_live, number):
    process, address = pomona_live("--json")
    with urllib.request.urlopen(address + "hello", timeout=20) as reply:
        assert json.load(reply)["settings"]["parts"] == ["pose"]
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    done = json.loads(out)
    assert (done["address"], done["clients"], done["frames"]) == (address, 0, 0)
    assert "Traceback" not in err


def test_it_stops_after_its_seconds(pomona_live):
    process, _ = pomona_live("--seconds", "0.5")
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "clients" in out


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_live_server_never_imports_torch_and_fits_in_300_mb(pomona_live, spot):
    """With all models, while it serves a client that changes them."""
    process, address = pomona_live(models=())
    with connect(address.replace("http", "ws") + "live", compression=None, proxy=None) as client:
        number = 0
        for change in ({}, {"complexity": 0}, {"mask": True}, {"hand_model": "lite"}, {}):
            client.send(json.dumps({"type": "settings", "settings": change}))
            for _ in range(3):
                number += 1
                client.send(struct.pack("<BBHId", 1, 1, 0, number, number / 30) + spot(40, 30))
                while isinstance(client.recv(timeout=60), str):
                    pass
        with open(f"/proc/{process.pid}/maps") as file:
            assert "torch" not in file.read()
        assert memory_mb(process) < 300


def test_other_addresses_come_with_a_token(pomona_live):
    _, address = pomona_live("--host", "0.0.0.0")
    page, token = address.split("#token=")
    assert len(token) >= 20
    hello = urllib.request.Request(
        f"http://127.0.0.1:{page.rstrip('/').rpartition(':')[2]}/hello",
        headers={"Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(hello, timeout=20) as reply:
        assert reply.status == 200


def test_a_port_that_is_taken_is_said_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "in use" in refused("--port", str(taken.getsockname()[1]), "--parts", "pose")


def test_a_file_that_is_no_certificate_is_said_in_one_line(tmp_path):
    (tmp_path / "junk.pem").write_text("junk")
    assert "no certificate" in refused("--port", "0", "--certificate", str(tmp_path / "junk.pem"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--port", "70000"), "port"),
        (("--host", "no.such.host.invalid"), "cannot listen"),
        (("--people", "9"), "at most 6"),
        (("--parts", "feet"), "feet"),
        (("--clients", "0"), "clients"),
        (("--certificate", "missing.pem"), "missing.pem"),
    ],
    ids=str,
)
def test_wrong_flags_are_said_in_one_line(arguments, says):
    assert says in refused(*arguments)
