"""Programs whose kernels are cached start without a compiler and take less memory than ONNX Runtime."""

import ctypes
import subprocess
import sys

import numpy as np
import pytest
from onnx_samples import model, node, random

from pomona.compile import SparseSession
from pomona.compile.sparse.machine import Kernel, compile_object, this_machine
from pomona.compile.sparse.object_file import Code

LAYERS, WIDTH, SIDE = 10, 448, 14

CHILD = """
import resource, sys
import numpy as np
path, runtime = sys.argv[1:]
if runtime == "onnx":
    from pomona.export.sessions.onnx import OnnxSession
    session = OnnxSession(path)
else:
    from pomona.compile import SparseSession
    session = SparseSession(path, runtime=runtime)
session.run({"x": np.ones((1, %d, %d, %d), np.float32)})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, "llvmlite" in sys.modules)
""" % (WIDTH, SIDE, SIDE)  # noqa: UP031


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """The file of a network of 8 MB with four fifths of zeros, whose kernels are in the cache."""
    names = ["x", *(f"t{index}" for index in range(LAYERS - 1)), "y"]
    nodes, weights = [], {}
    for index in range(LAYERS):
        kept = np.random.default_rng(index).random((WIDTH, WIDTH, 1, 1)) < 0.2
        weights[f"w{index}"] = random(WIDTH, WIDTH, 1, 1, seed=index) * kept / np.float32(8)
        nodes.append(node("Conv", f"{names[index]} w{index}", names[index + 1]))
    path = tmp_path_factory.mktemp("start") / "model.onnx"
    path.write_bytes(model(nodes, {"x": (1, WIDTH, SIDE, SIDE)}, weights))
    SparseSession(path, runtime="sparse")
    return path


def child(path, runtime: str) -> tuple[int, bool]:
    """Peak memory of a process that runs the model, in KiB, and whether it loaded LLVM."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), runtime], capture_output=True, text=True, check=True
    )
    peak, has_llvm = done.stdout.split()
    return int(peak), has_llvm == "True"


@pytest.mark.skipif(
    sys.platform != "linux" or this_machine().triple[:6] != "x86_64", reason="Linux on x86-64"
)
def test_a_cached_program_starts_without_llvm_in_less_memory_than_onnx_runtime(network):
    ours, has_llvm = child(network, "sparse")
    theirs, _ = child(network, "onnx")
    assert not has_llvm
    assert ours <= theirs


def squares(calls: str = "") -> Kernel:
    """A kernel that squares a number with the help of a constant."""
    declared = f"declare void @{calls}()" if calls else ""
    called = f"call void @{calls}()" if calls else ""
    return Kernel(
        "squares",
        f"""
        {declared}
        define void @squares(ptr %place) {{
          {called}
          %x = load double, ptr %place
          %y = fmul double %x, %x
          %z = fadd double %y, 0.125
          store double %z, ptr %place
          ret void
        }}""",
    )


def run(code: Code) -> float:
    number = ctypes.c_double(3.0)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(code.addresses["squares"])(ctypes.addressof(number))
    return number.value


@pytest.mark.skipif(this_machine().triple[:6] != "x86_64", reason="the linker is for x86-64")
def test_object_files_are_linked_to_their_constants_and_to_the_c_library():
    for kernel in (squares(), squares(calls="sched_yield")):
        assert run(Code({"squares": compile_object(kernel, this_machine())})) == 9.125


@pytest.mark.skipif(this_machine().triple[:6] != "x86_64", reason="the linker is for x86-64")
def test_what_cannot_be_linked_is_refused():
    for kernel in (squares(calls="a_function_that_nobody_has"),):
        with pytest.raises(ValueError, match="a_function_that_nobody_has"):
            Code({"squares": compile_object(kernel, this_machine())})
    with pytest.raises(ValueError, match="no ELF file"):
        Code({"squares": b"MZ" + bytes(100)})
    with pytest.raises(ValueError, match="does not define"):
        Code({"cubes": compile_object(squares(), this_machine())})
