"""Machines to place graphs on: presets, YAML files, and the one under the desk, measured."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Machine": "machine",
        "Device": "machine",
        "Link": "machine",
        "PRESETS": "presets",
        "machine_of": "subject",
        "read_machine": "yaml_file",
        "write_machine": "yaml_file",
        "profile_machine": "profile",
        "Profile": "profile",
    },
)
