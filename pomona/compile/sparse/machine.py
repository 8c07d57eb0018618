"""This machine's processor as a compile target, and native functions from IR text, kept as code on disk.

An object file is found again by a hash of the text, the processor, its features and the LLVM version, so the
second start of a program links and does not compile: it needs no LLVM on x86-64 under Linux.
"""

import ctypes
import functools
import hashlib
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from pomona.compile.sparse.object_file import Code
from pomona.foundation.assets.folders import cache_folder
from pomona.foundation.errors import MissingExtraError, PomonaError, unknown_name
from pomona.foundation.files import read_json, write_bytes, write_json


@dataclass(frozen=True)
class Machine:
    """A compile target. `lanes` is how many float32 one vector holds; `pause` is LLVM's name of the spin-wait
    instruction, or empty."""

    triple: str
    cpu: str
    features: str
    lanes: int
    pause: str


@dataclass(frozen=True)
class Kernel:
    """A native function `void name(ptr arguments)` as the IR text of the module that defines it."""

    name: str
    text: str


def this_machine(width: str | None = None) -> Machine:
    """The machine this runs on. `width` forces narrower vectors: avx512, avx2 or generic (4 lanes)."""
    triple, cpu, features = _host()
    wanted = width or _widest(features)
    if wanted not in LANES:
        raise unknown_name("vector width", wanted, LANES)
    narrowed = {name: on and not _is_wider(name, wanted) for name, on in features.items()}
    return Machine(
        triple,
        cpu,
        ",".join(f"{'+' if on else '-'}{name}" for name, on in sorted(narrowed.items())),
        LANES[wanted],
        PAUSES.get(platform.machine(), ""),
    )


LANES: Mapping[str, int] = {"avx512": 16, "avx2": 8, "generic": 4}
PAUSES: Mapping[str, str] = {
    "x86_64": "llvm.x86.sse2.pause",
    "AMD64": "llvm.x86.sse2.pause",
}
NEON = Machine("aarch64-unknown-linux-gnu", "cortex-a72", "+neon", 4, "")


def _widest(features: Mapping[str, bool]) -> str:
    if all(features.get(name) for name in ("avx512f", "avx512vl", "avx512bw", "avx512dq")):
        return "avx512"
    return "avx2" if features.get("avx2") and features.get("fma") else "generic"


def _is_wider(feature: str, width: str) -> bool:
    # fused multiply-add stays: at every width it rounds once, so widths agree
    return width != "avx512" and feature.startswith(("avx512", "avx10", "evex"))


def object_code(kernel: Kernel, machine: Machine) -> bytes:
    """The kernel as an object file for `machine`, from the cache or compiled and put there."""
    path = _cache_path(kernel, machine)
    if (kept := _read_kept(path)) is not None:
        return kept
    code = compile_object(kernel, machine)
    try:
        write_bytes(path, hashlib.sha256(code).digest() + code)
    except PomonaError:
        # a cache that cannot be written costs time at the next start, nothing else
        pass
    return code


def compile_object(kernel: Kernel, machine: Machine) -> bytes:
    """The kernel compiled for `machine`, which may be another than this one."""
    llvm = _llvm()
    target = _target_machine(machine)
    module = llvm.parse_assembly(kernel.text)
    module.triple, module.data_layout = machine.triple, str(target.target_data)
    module.verify()
    tuning = llvm.create_pipeline_tuning_options(speed_level=2)
    # the kernels are vectorised and unrolled as they should be
    tuning.loop_vectorization = tuning.slp_vectorization = False
    tuning.loop_unrolling = tuning.loop_interleaving = False
    builder = llvm.create_pass_builder(target, tuning)
    builder.getModulePassManager().run(module, builder)
    return target.emit_object(module)


class Library:
    """Kernels linked into this process, found by their names. They live as long as the library."""

    def __init__(self, kernels: Iterable[Kernel], machine: Machine):
        unique = {kernel.name: kernel for kernel in kernels}
        codes = {name: object_code(kernel, machine) for name, kernel in unique.items()}
        try:
            self._code: Any = Code(codes)
            self._addresses = self._code.addresses
        except (ValueError, OSError):
            self._code = _linked_by_llvm(codes, machine)
            self._addresses = {name: resource[name] for name, resource in self._code[1].items()}

    def address(self, kernel: Kernel) -> int:
        """Where the kernel's code begins."""
        return self._addresses[kernel.name]

    def function(self, kernel: Kernel, num_arguments: int = 1) -> Any:
        """The kernel as a callable that takes pointers and eight-byte integers and releases the GIL."""
        function: Any = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * num_arguments)(self.address(kernel))
        # the code must not go before who calls it
        function.library = self
        return function


def _linked_by_llvm(codes: Mapping[str, bytes], machine: Machine) -> tuple[Any, dict[str, Any]]:
    """LLVM's linker and what it linked; both are to be kept."""
    llvm = _llvm()
    _target_machine(machine)
    compiler = llvm.create_lljit_compiler()
    linked = {}
    for name, code in codes.items():
        builder = llvm.JITLibraryBuilder().add_object_img(code).export_symbol(name)
        linked[name] = builder.add_current_process().link(compiler, name)
    return compiler, linked


def _cache_path(kernel: Kernel, machine: Machine) -> Path:
    key = "\n".join((_version(), machine.triple, machine.cpu, machine.features, kernel.text))
    return cache_folder() / "kernels" / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.o"


def _read_kept(path: Path) -> bytes | None:
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    code = kept[32:]
    return code if hashlib.sha256(code).digest() == kept[:32] else None


@functools.cache
def _host() -> tuple[str, str, dict[str, bool]]:
    """This processor as LLVM names it: triple, name, features. Kept, for LLVM loads slowly."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    facts = sorted(
        {line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))}
    )
    digest = hashlib.sha256("\n".join((_version(), platform.platform(), *facts)).encode()).hexdigest()
    path = cache_folder() / "machines" / f"{digest[:24]}.json"
    try:
        if facts:
            triple, cpu, features = read_json(path)
            return triple, cpu, dict(features)
    except (OSError, ValueError, TypeError):
        pass
    llvm = _llvm()
    found = llvm.get_process_triple(), llvm.get_host_cpu_name(), dict(llvm.get_host_cpu_features())
    try:
        write_json(path, found)
    except PomonaError:
        pass
    return found


@functools.cache
def _version() -> str:
    try:
        return metadata.version("llvmlite")
    except metadata.PackageNotFoundError as error:
        raise MissingExtraError("llvmlite", "compile") from error


@functools.cache
def _target_machine(machine: Machine) -> Any:
    target = _llvm().Target.from_triple(machine.triple)
    return target.create_target_machine(
        cpu=machine.cpu, features=machine.features, opt=3, reloc="pic", codemodel="default"
    )


@functools.cache
def _llvm() -> Any:
    try:
        import llvmlite.binding as llvm
    except ImportError as error:
        raise MissingExtraError("llvmlite", "compile") from error
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return llvm
