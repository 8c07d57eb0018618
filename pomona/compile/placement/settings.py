"""Settings of `pomona place`. Nothing here imports torch: flags are read from them."""

from dataclasses import dataclass

from pomona.foundation.errors import SettingError, unknown_name

DECISIONS = ("placement", "scheduling", "fusion")


@dataclass(frozen=True)
class PlaceSettings:
    """Where a graph is to run, what may be decided, and how long a plan is searched."""

    devices: str = "2"
    """That many equal GPUs, a machine's name, or a YAML file that describes one."""

    memory_gb: float | None = None
    """Memory of every device in GB of 10⁹ bytes; otherwise what the machine has."""

    decide: str = "placement,scheduling,fusion"
    """What is decided; scheduling left out is program order, fusion left out fuses nothing."""

    seconds: float = 30.0
    """How long the search goes on after the quick methods; 0 for these alone."""

    methods: str = "all"
    """Methods to compare, with commas between; all: every quick one, and the policy with search."""

    start: str | None = None
    """A plan.json of this graph to begin with."""

    training: bool = False
    """The training step of a module or artifact instead of its forward pass."""

    batch: int = 1
    """Examples that an artifact or an ONNX file gets at once."""

    sizes: str = ""
    """Of other open axes of an ONNX file, such as height=224,width=224."""

    profile: bool = False
    """Measure this machine's cores and make plans for them; --devices is then their number."""

    def __post_init__(self) -> None:
        decided, _ = self.decided, self.sizes_by_axis
        for one in decided:
            if one not in DECISIONS:
                raise unknown_name("decision", one, DECISIONS)
        if "placement" not in decided:
            raise SettingError(f"--decide must hold placement, got {self.decide!r}")
        if not 0 <= self.seconds < float("inf"):
            raise SettingError(f"--seconds should be a number of at least 0, got {self.seconds}")

    @property
    def decided(self) -> tuple[str, ...]:
        """The decisions by name, in their order."""
        named = [one.strip() for one in self.decide.split(",") if one.strip()]
        return (*(one for one in DECISIONS if one in named), *(one for one in named if one not in DECISIONS))

    @property
    def sizes_by_axis(self) -> dict[str, int]:
        """Axis → size."""
        pairs = [one.partition("=") for one in self.sizes.replace(" ", "").split(",") if one]
        for axis, _, size in pairs:
            if not axis or not size.isdigit() or int(size) == 0:
                raise SettingError(f"--sizes should be like height=224,width=224, got {self.sizes!r}")
        return {axis: int(size) for axis, _, size in pairs}
