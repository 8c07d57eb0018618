"""Other people's runtimes on a plan, dense: each as a function without arguments that runs it once.

LiteRT gets a flatbuffer, ONNX Runtime and OpenVINO an ONNX file, PyTorch a function of channels-last tensors.
Inputs and outputs stay where the runtime has them; no copy is timed.
"""

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.sparse_litert import litert_model
from benchmarks.sparse_onnx import onnx_model
from pomona.compile.sparse.plan import Plan


@dataclass(frozen=True)
class Peer:
    """A runtime that holds a network: `run()` computes it, `result()` is its last first output."""

    run: Callable[[], object]
    result: Callable[[], np.ndarray]


def litert(plan: Plan, image: np.ndarray, threads: int) -> Peer:
    """LiteRT with its default delegate, XNNPACK."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=litert_model(plan), num_threads=threads)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image.transpose(1, 2, 0)[None])
    output = interpreter.get_output_details()[0]["index"]
    return Peer(interpreter.invoke, lambda: channels_first(interpreter.get_tensor(output)[0]))


def onnxruntime(plan: Plan, image: np.ndarray, threads: int) -> Peer:
    """ONNX Runtime's CPU provider, inputs and outputs bound."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    session = ort.InferenceSession(onnx_model(plan), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input(plan.inputs[0].name, image[None])
    binding.bind_output(plan.outputs[0])
    return Peer(lambda: session.run_with_iobinding(binding), lambda: binding.copy_outputs_to_cpu()[0][0])


def openvino(plan: Plan, image: np.ndarray, threads: int) -> Peer:
    """OpenVINO's CPU plugin, float32, for latency."""
    module = importlib.import_module("openvino")
    core = module.Core()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "NUM_STREAMS": 1,
    }
    compiled = core.compile_model(core.read_model(onnx_model(plan)), "CPU", settings)
    request = compiled.create_infer_request()
    request.set_input_tensor(module.Tensor(np.ascontiguousarray(image[None])))
    return Peer(request.infer, lambda: np.array(request.get_output_tensor(0).data)[0])


def pytorch(plan: Plan, image: np.ndarray, threads: int) -> Peer:
    """PyTorch's own kernels one after another, channels last."""
    import torch

    from benchmarks.sparse_onnx import torch_function

    torch.set_num_threads(threads)
    function = torch_function(plan)
    tensor = torch.from_numpy(image[None]).contiguous(memory_format=torch.channels_last)
    last = [function(tensor)]

    def run() -> None:
        last[0] = function(tensor)

    return Peer(run, lambda: last[0][0].numpy())


def channels_first(values: np.ndarray) -> np.ndarray:
    """An image (height, width, channel) turned, a vector as it is."""
    return values.transpose(2, 0, 1) if values.ndim == 3 else values


PEERS: dict[str, Callable[[Plan, np.ndarray, int], Peer]] = {
    "LiteRT": litert,
    "ONNX Runtime": onnxruntime,
    "OpenVINO": openvino,
    "PyTorch": pytorch,
}


def peers_here() -> list[str]:
    """The runtimes that are installed; OpenVINO is in the environment of benchmarks/peers/sparse.txt."""
    modules = {
        "LiteRT": "ai_edge_litert",
        "ONNX Runtime": "onnxruntime",
        "OpenVINO": "openvino",
        "PyTorch": "torch",
    }
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return [name for name, module in modules.items() if importlib.util.find_spec(module)]
