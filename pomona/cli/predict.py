"""`pomona predict`: apply a saved model."""

from pathlib import Path
from typing import Literal

from pomona.cli.options import Json
from pomona.cli.output import answer


def predict(
    artifact: Path,
    data: str,
    /,
    *,
    out: Path | None = None,
    runtime: Literal["torch", "onnx", "sparse"] = "torch",
    blocks: Path | None = None,
    json: Json = False,
) -> None:
    """Apply a saved model to new data.

    Parameters
    ----------
    artifact
        An artifact's folder, or an ONNX file that Pomona wrote.
    data
        A table, an image, a recording, an npz file, or a folder of images or recordings.
    out
        A CSV, Parquet or JSON-lines file for the predictions; without it they are printed.
    runtime
        What runs the network; sparse is ONNX Runtime but for networks whose zeros make them faster natively.
    blocks
        The file of your own blocks that the network was made with.
    """
    with answer(as_json=json) as reply:
        from pomona.export.command import predict_command

        if runtime == "sparse":
            from pomona.compile.sparse.session import open_sparse

            result = predict_command(artifact, data, out=out, runtime="onnx", open_session=open_sparse)
        else:
            result = predict_command(artifact, data, out=out, runtime=runtime, blocks=blocks)
        lines = [result["runtime"]] if "runtime" in result else []
        if out is not None:
            reply.give(result, [*lines, f"{result['count']} predictions in {out}"])
        else:
            rows = [f"{row['name']}  {row['prediction']}" for row in result["predictions"]]
            reply.give(result, [*lines, *rows])
