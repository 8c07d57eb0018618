"""Settings of a method: how the network is fitted, and the few numbers of the method itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pomona.fit.settings import FitSettings
from pomona.foundation.errors import SettingError, unknown_name


@dataclass(frozen=True)
class MethodSettings:
    """What a method goes by; what `own` leaves out has the method's default."""

    fit: FitSettings = field(default_factory=FitSettings)
    own: Mapping[str, Any] = field(default_factory=dict)
    """The method's own settings, by the names in its `defaults`."""

    def chosen(self, defaults: Mapping[str, Any]) -> dict[str, Any]:
        """The method's defaults with `own` laid over them. Raises SettingError for a wrong name or type."""
        for name, value in self.own.items():
            if name not in defaults:
                raise unknown_name("setting of this method", name, defaults)
            default = defaults[name]
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            fits = is_number if isinstance(default, float) else type(value) is type(default)
            if not fits:
                wanted = type(default).__name__
                raise SettingError(
                    f"{name} must be of type {wanted} like its default {default}, got {value!r}"
                )
        return {**defaults, **self.own}

    def to_json(self) -> dict[str, Any]:
        """The settings as plain data."""
        return {"fit": self.fit.to_json(), "own": dict(self.own)}

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "MethodSettings":
        """The settings that `to_json` wrote. Raises SettingError."""
        return MethodSettings(FitSettings.from_json(plain["fit"]), dict(plain["own"]))
