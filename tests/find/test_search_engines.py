"""Trainers as jobs of a real Slurm and as tasks of a real Ray, both on this machine."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from pomona.find.search.problem import make_problem
from pomona.find.search.settings import SearchSettings
from pomona.find.search.trainers import Origin, TrainerOptions, train_together
from pomona.find.search.trainers.assignment import Assignment
from pomona.find.search.trainers.engines.ray_task import start_ray
from pomona.find.search.trainers.engines.slurm import SlurmTrainer, is_queued, job_parameters, start_slurm
from pomona.find.search.trainers.place import Place, place_of
from pomona.foundation.errors import MissingExtraError, SettingError
from pomona.foundation.run import open_run
from pomona.networks.blocks import BLOCKS
from pomona.tasks.load import load_task

SMALL = SearchSettings(trials=2, steps=10, starts=2, finalists=1, finalist_seeds=1)

CONFIGURATION = """
ClusterName=pomona
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MailProg=/bin/true
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def search_by(folder, options):
    """The trials of a search and of its finalists."""
    problem = make_problem(load_task("wine"), SMALL, BLOCKS)
    with open_run(folder, verb="search", subject="wine", identity={}) as run:
        place = place_of(run.folder, options.store)
        with place.stores(grace_s=options.grace) as stores:
            train_together(problem, stores, run, place=place, options=options, origin=Origin("wine"))
            return [store.all() for store in stores]


def check(trials, repeats):
    assert [trial.state for trial in (*trials, *repeats)] == ["completed"] * 3
    assert len({trial.genome_hash for trial in trials}) == 2


def call_slurm(folder, user, program, *arguments):
    before = ["runuser", "-u", user, "--"] if user else []
    subprocess.run([*before, program, *arguments], check=True, timeout=60, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def slurm():
    """A Slurm of one node, which is this machine."""
    missing = [name for name in ("munged", "slurmctld", "slurmd", "squeue") if shutil.which(name) is None]
    if missing or os.getuid() != 0:
        pytest.skip("needs Debian's slurm-wlm, and to be root to start it")
    folder = Path(tempfile.mkdtemp(prefix="pomona-slurm-"))
    folder.chmod(0o755)
    for name in ("state", "spool", "munge"):
        (folder / name).mkdir()
    key = folder / "munge" / "key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    for path in (key, folder / "munge"):
        shutil.chown(path, "munge", "munge")
    files = [f"--{name}={folder}/munge/{name.split('-')[0]}" for name in ("socket", "key-file", "pid-file")]
    files += [f"--{name}-file={folder}/munge/{name}" for name in ("log", "seed")]
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(host=socket.gethostname(), folder=folder, ports=free_ports(2))
    )
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(configuration)
    try:
        call_slurm(folder, "munge", "munged", *files)
        call_slurm(folder, None, "slurmctld", "-i")
        call_slurm(folder, None, "slurmd")
        wait_for_a_node()
    except (subprocess.SubprocessError, TimeoutError) as error:
        pytest.skip(f"Slurm cannot be started here: {error}")
    yield
    for name in ("slurmd.pid", "slurmctld.pid", "munge/pid"):
        if (folder / name).exists():
            os.kill(int((folder / name).read_text()), signal.SIGTERM)
    if before is None:
        del os.environ["SLURM_CONF"]
    else:
        os.environ["SLURM_CONF"] = before
    time.sleep(1)
    shutil.rmtree(folder, ignore_errors=True)


def free_ports(count):
    with socket.socket() as first, socket.socket() as second:
        found = []
        for held in (first, second)[:count]:
            held.bind(("127.0.0.1", 0))
            found.append(held.getsockname()[1])
        return found


def wait_for_a_node():
    for _ in range(60):
        if "idle" in subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True).stdout:
            return
        time.sleep(0.5)
    raise TimeoutError("no node became idle")


def test_jobs_of_slurm_carry_a_search(slurm, tmp_path):
    trials, repeats = search_by(
        tmp_path / "run", TrainerOptions(engine="slurm", grace=20.0, engine_option=("timeout_min=10",))
    )
    check(trials, repeats)
    scripts = list((tmp_path / "run" / "trainers" / "slurm").glob("*_submission.sh"))
    assert len(scripts) == 1
    assert "--time=10" in scripts[0].read_text()


def test_a_job_that_was_cancelled_counts_as_dead(slurm, monkeypatch):
    from types import SimpleNamespace

    from pomona.find.search.trainers.engines import slurm as engine

    monkeypatch.setattr(engine, "CHECK_EVERY_S", 0.0)
    answer = subprocess.run(["sbatch", "--wrap", "sleep 600"], capture_output=True, text=True, cwd="/tmp")
    job_id = answer.stdout.split()[-1]
    trainer = SlurmTrainer(
        SimpleNamespace(
            job_id=job_id, cancel=lambda: subprocess.run(["scancel", job_id]), stderr=lambda: None
        )
    )
    assert trainer.is_alive()
    trainer.kill()
    for _ in range(100):
        if not trainer.is_alive():
            break
        time.sleep(0.3)
    assert not trainer.is_alive()
    assert trainer.last_words() == f"job {job_id} said nothing"
    assert not is_queued("99999")


def assignment_in(folder, threads=3):
    return Assignment(Place(folder, f"sqlite:///{folder}/trials.sqlite"), "one", threads)


def test_the_script_of_a_job_asks_for_what_was_told(tmp_path):
    slurm = pytest.importorskip("submitit.slurm.slurm")
    told = {"timeout_min": 90, "slurm_partition": "gpu", "gpus_per_node": 1}
    script = slurm._make_sbatch_string(
        command="train", folder=tmp_path, **job_parameters(assignment_in(tmp_path), told)
    )
    for line in (
        "#SBATCH --cpus-per-task=3",
        "#SBATCH --partition=gpu",
        "#SBATCH --gpus-per-node=1",
        "#SBATCH --time=90",
        "#SBATCH --job-name=pomona-one",
        "export OMP_NUM_THREADS=3",
    ):
        assert line in script
    assert script.index("export OMP_NUM_THREADS") < script.index("train\n")


def test_without_slurm_the_search_says_so(tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingError, match="Slurm takes no job here"):
        start_slurm(assignment_in(tmp_path), {})


def test_without_ray_the_search_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pomona-ml\[cluster\]"):
        start_ray(assignment_in(tmp_path), {})


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
def test_tasks_of_ray_carry_a_search(tmp_path):
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'pomona-ml[cluster]'")
    try:
        trials, repeats = search_by(tmp_path / "run", TrainerOptions(trainers=2, engine="ray", grace=20.0))
    finally:
        ray.shutdown()
    check(trials, repeats)
