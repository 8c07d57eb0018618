"""What a session runs, layer by layer, for people."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pomona.compile.sparse.network import External, Network
from pomona.compile.sparse.plan import Step, sparsity

_RUNTIMES = {
    "onnx": "ONNX Runtime",
    "sparse": "the native program",
    "both": "the native program, with ONNX Runtime for what it lacks,",
}


@dataclass(frozen=True)
class Layer:
    """One step. `kernel` says how it is computed; `microseconds` is None where it was not timed."""

    name: str
    op: str
    shape: tuple[int, ...]
    sparsity: float
    kernel: str = ""
    microseconds: float | None = None
    output: str = ""
    """The step's tensor."""


@dataclass(frozen=True)
class Description:
    """What runs a model, why, and its layers; `str` gives a table.

    `runtime` is sparse, onnx, or both, where ONNX Runtime runs nodes that no kernel computes.
    """

    runtime: str
    why: str
    layers: tuple[Layer, ...] = ()
    missing: tuple[str, ...] = ()
    """Nodes that no kernel computes, and why."""

    @property
    def headline(self) -> str:
        """Everything but the layers, in one line."""
        line = f"{_RUNTIMES[self.runtime]} runs the model: {self.why}"
        more = f" and {len(self.missing) - 1} more" if len(self.missing) > 1 else ""
        return line + (f"; without a kernel: {self.missing[0]}{more}" if self.missing else "")

    def because(self, reason: str) -> "Description":
        """The same with one reason more."""
        return replace(self, why=f"{self.why}; {reason}")

    def timed(self, kernels: Mapping[str, str], times: Mapping[str, float]) -> "Description":
        """The same with the layers' kernels and times (µs), which go by their tensors."""
        layers = (
            replace(layer, kernel=kernels.get(layer.output, ""), microseconds=times.get(layer.output))
            for layer in self.layers
        )
        return replace(self, layers=tuple(layers))

    def __str__(self) -> str:
        rows = [("layer", "operation", "shape", "zeros", "kernel", "µs")]
        for layer in self.layers:
            time = "" if layer.microseconds is None else f"{layer.microseconds:.1f}"
            shape = "×".join(map(str, layer.shape))
            zeros = f"{layer.sparsity:.0%}" if layer.sparsity else ""
            rows.append((layer.name, layer.op, shape, zeros, layer.kernel, time))
        total = sum(layer.microseconds or 0 for layer in self.layers)
        if total:
            rows.append(("all", "", "", "", "", f"{total:.1f}"))
        widths = [max(len(row[column]) for row in rows) for column in range(6)]
        table = [
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
        ]
        return "\n".join([self.headline, *(table if self.layers else []), *self.missing])


def describe_onnx(why: str, network: Network) -> Description:
    """Of a network that ONNX Runtime runs as a whole."""
    return Description("onnx", why, _layers(network), _missing(network))


def describe_native(why: str, network: Network) -> Description:
    """Of a network that native programs run, not timed."""
    return Description("both" if network.externals else "sparse", why, _layers(network), _missing(network))


def _layers(network: Network) -> tuple[Layer, ...]:
    return tuple(
        Layer(
            step.name,
            step.op if step.activation == "none" else f"{step.op} {step.activation}",
            network.tensors[step.output].shape,
            sparsity(step),
            output=step.output,
        )
        for step in network.steps
        if isinstance(step, Step) and step.op != "reshape"
    )


def _missing(network: Network) -> tuple[str, ...]:
    return tuple(f"{step.node.where}: {step.reason}" for step in network.steps if isinstance(step, External))
