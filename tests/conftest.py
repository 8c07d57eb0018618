"""What all tests stand on."""

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

# whoever starts the tests in the background of a shell gives them a Ctrl-C that is ignored
signal.signal(signal.SIGINT, signal.default_int_handler)

# several workers share the cores; read by torch when it is imported
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def postgresql_server():
    """The address, without a database's name, of a PostgreSQL server that lives as long as the tests."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs or importlib.util.find_spec("psycopg") is None:
        if os.environ.get("POMONA_TESTS_MUST_RUN"):
            raise RuntimeError("PostgreSQL or psycopg is not installed: apt-get install postgresql")
        pytest.skip("PostgreSQL or psycopg is not installed")
    folder = Path(tempfile.mkdtemp(prefix="pomona-postgresql-"))
    # the server refuses to run as root
    user = "postgres" if os.getuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def call(program, *arguments):
        before = ["runuser", "-u", user, "--"] if user else []
        command = [*before, str(programs[-1] / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=120)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    call("initdb", "-A", "trust", "-U", "pomona", "-E", "UTF8")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
    call("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    yield f"postgresql://pomona@127.0.0.1:{port}"
    call("pg_ctl", "-w", "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql(postgresql_server):
    """The address of an empty PostgreSQL database."""
    import psycopg

    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(f"{postgresql_server}/postgres", autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return f"{postgresql_server}/{name}"
