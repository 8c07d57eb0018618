"""The version of Pomona that is installed."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version


def version() -> str:
    """The installed version, "0" when Pomona runs from a folder without being installed."""
    try:
        return installed_version("pomona-ml")
    except PackageNotFoundError:
        return "0"
