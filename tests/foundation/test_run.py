import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.console import Console
from pomona.foundation.errors import Interrupted, RunError, SettingError
from pomona.foundation.run import open_run, temporary_run


def opened(folder, *, subject="digits", identity=None, seed=0, seconds=None):
    return open_run(
        folder,
        verb="fit",
        subject=subject,
        identity=identity or {"epochs": 3},
        seed=seed,
        seconds=seconds,
        console=Console(quiet=True),
    )


def test_the_same_command_goes_on_where_it_was(tmp_path):
    with opened(tmp_path / "run") as run:
        run.save("progress", {"step": 7})
    with opened(tmp_path / "run") as run:
        assert run.restore("progress") == {"step": 7}
        assert run.restore("nothing") is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 1}, "seed"),
        ({"identity": {"epochs": 4}}, "epochs 3 there, 4 here"),
        ({"subject": "iris"}, "digits"),
    ],
)
def test_another_command_in_the_same_folder_is_refused(tmp_path, change, said):
    with opened(tmp_path / "run"):
        pass
    with pytest.raises(RunError, match=said), opened(tmp_path / "run", **change):
        pass


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match="choose an empty or new folder"), opened(tmp_path):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_as_folder_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_text("x")
    with pytest.raises(RunError, match="is a file"), opened(path):
        pass


def test_two_processes_never_share_a_folder(tmp_path):
    with opened(tmp_path / "run"):
        code = textwrap.dedent(f"""
            from pathlib import Path
            from pomona.foundation.errors import RunError
            from pomona.foundation.run import open_run
            try:
                folder = Path({str(tmp_path / "run")!r})
                with open_run(folder, verb="fit", subject="digits", identity={{"epochs": 3}}):
                    print("entered")
            except RunError as error:
                print(error)
        """)
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert f"process {os.getpid()} is working in" in said


def test_a_decision_is_made_once_and_repeated_after_a_crash(tmp_path):
    with opened(tmp_path / "run") as run:
        assert run.decide("mode", "a", lambda: {"how": "vmap"}) == {"how": "vmap"}
        assert run.child("trial").decide("mode", "a", lambda: {"how": "loop"}) == {"how": "loop"}
    log = tmp_path / "run" / "decisions.jsonl"
    with open(log, "a") as file:
        file.write('{"kind": "mode", "key": "b", "val')  # a crash in the middle of a line
    with opened(tmp_path / "run") as run:
        assert run.decide("mode", "a", lambda: "other") == {"how": "vmap"}
        assert run.child("trial").decide("mode", "a", lambda: "other") == {"how": "loop"}
        assert run.decide("mode", "b", lambda: 5) == 5
    assert [json.loads(line)["value"] for line in log.read_text().splitlines()][-1] == 5


def test_streams_depend_on_their_key_alone():
    with temporary_run(seed=3) as run:
        first = run.generator("client", 12).random(4)
        run.generator("client", 11).random(100)
        assert (run.generator("client", 12).random(4) == first).all()
        assert (run.generator("client", 13).random(4) != first).all()


def test_the_budget_counts_what_earlier_processes_spent(tmp_path):
    with opened(tmp_path / "run", seconds=100) as run:
        run.clock.spent_before = 99.99
        run.save("progress", {})
    with opened(tmp_path / "run", seconds=100) as run:
        run.clock.started -= 1
        assert run.should_stop()
        assert run.stop_reason == "seconds"


def test_zero_seconds_are_refused(tmp_path):
    with pytest.raises(SettingError, match="positive"), opened(tmp_path / "run", seconds=0):
        pass


def test_an_interrupt_lets_the_method_save(tmp_path):
    with opened(tmp_path / "run") as run:
        os.kill(os.getpid(), signal.SIGINT)
        assert run.stop_reason == "interrupt"
        with pytest.raises(Interrupted, match="goes on from here"):
            run.check_interrupt()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_finished_command_prints_its_result_again(tmp_path):
    calls = []

    def method(run):
        calls.append(run.folder)
        return {"value": 1.5, "artifact": "artifact"}

    def command(folder):
        options = CommandOptions(out=folder, quiet=True)
        return carry_out(method, verb="fit", subject="x", identity={}, options=options)

    first = command(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "moved")
    again = command(tmp_path / "moved")
    assert len(calls) == 1
    assert first["artifact"] == str(tmp_path / "run" / "artifact")
    assert again == {"value": 1.5, "artifact": str(tmp_path / "moved" / "artifact")}


def test_a_full_disk_is_one_clear_line(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(RunError, match="the disk is full; nothing half-written is left"),
        opened(tmp_path / "run"),
    ):
        pass
    assert not list(Path(tmp_path).rglob("*.json"))
