"""An ONNX model with weights and activations of eight bits: static quantisation with observed ranges.

Weights get a scale a channel, activations one a tensor, from the smallest and largest value seen; matrix
products and convolutions are quantised, what is between them stays in float32.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from pomona.export.metadata import seal
from pomona.export.quiet import quiet
from pomona.foundation.errors import MissingExtraError, SpecError
from pomona.tasks.batch import Batch

QUANTISED = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def quantised(model: bytes, batches: Iterable[Batch]) -> bytes:
    """The model in int8; `batches` hold inputs like those it will see. Its properties are kept.

    Raises SpecError when it has no layer that can be quantised.
    """
    try:
        import onnx
        import onnxruntime.quantization as _  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("onnx and onnxruntime", "onnx") from error
    source = onnx.load_from_string(model)
    if not any(node.op_type in QUANTISED for node in source.graph.node):
        raise SpecError(f"the network has none of the layers that int8 is for ({', '.join(QUANTISED)})")
    names = {entry.name for entry in source.graph.input}
    with tempfile.TemporaryDirectory(prefix="pomona-") as folder, quiet():
        path = Path(folder) / "int8.onnx"
        try:
            _quantise(model, path, _of_inputs(batches, names))
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise SpecError(f"the network cannot be quantised: {reason}") from error
        found = onnx.load(path)
    return _with_properties(found, source)


def _quantise(model: bytes, path: Path, batches: Iterator[Batch]) -> None:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def get_next(self) -> Batch | None:  # type: ignore[override]
            return next(batches, None)

    plain, prepared = path.with_name("plain.onnx"), path.with_name("prepared.onnx")
    plain.write_bytes(model)
    quant_pre_process(plain, prepared, skip_symbolic_shape=True)
    quantize_static(
        prepared,
        path,
        Reader(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        op_types_to_quantize=list(QUANTISED),
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def _of_inputs(batches: Iterable[Batch], names: set[str]) -> Iterator[Batch]:
    for batch in batches:
        yield {name: array for name, array in batch.items() if name in names}


def _with_properties(model, source) -> bytes:
    """The model with the properties of the one it was made from, sealed anew."""
    del model.metadata_props[:]
    model.producer_name = source.producer_name
    for entry in source.metadata_props:
        if entry.key != "pomona_sha256":
            model.metadata_props.add(key=entry.key, value=entry.value)
    return seal(model.SerializeToString())
