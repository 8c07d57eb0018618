import pytest


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path_factory):
    """What is prepared on disk stays out of the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("POMONA_CACHE", str(folder))
    return folder


@pytest.fixture
def write(tmp_path):
    """A function that writes text or bytes to a file and gives its path."""

    def write_file(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file
