"""The same kernels for another processor: compiled always, run under an emulator if there is one."""

import shutil
import struct
import subprocess

import numpy as np
import pytest
from plan_reference import run_plan
from test_sparse_kernels import network

from pomona.compile.sparse.lowered import Lowered, lower_plan
from pomona.compile.sparse.machine import NEON, object_code
from pomona.compile.sparse.plan import Plan

LINKER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64-static"

DRIVER = """
#include <stdio.h>
#include <stdint.h>
#include <sys/mman.h>
typedef void (*kernel)(void *);
%(declarations)s
static kernel kernels[] = {%(names)s};
/* the file: numbers of pieces and tasks; address, bytes and content of each piece; kernel, table of a task */
int main(int count, char **names) {
    FILE *file = fopen(names[1], "rb");
    uint64_t head[2], piece[2], task[2];
    if (!file || fread(head, 8, 2, file) != 2) return 2;
    uint64_t arena = 0, arena_bytes = 0;
    for (uint64_t i = 0; i < head[0]; i++) {
        if (fread(piece, 8, 2, file) != 2) return 3;
        uint64_t begin = piece[0] & ~4095ull, end = (piece[0] + piece[1] + 4095) & ~4095ull;
        for (uint64_t page = begin; page < end; page += 4096)
            mmap((void *)page, 4096, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (fread((void *)piece[0], 1, piece[1], file) != piece[1]) return 4;
        if (i == 0) { arena = piece[0]; arena_bytes = piece[1]; }
    }
    for (uint64_t i = 0; i < head[1]; i++) {
        if (fread(task, 8, 2, file) != 2) return 5;
        kernels[task[0]]((void *)task[1]);
    }
    FILE *out = fopen(names[2], "wb");
    return fwrite((void *)arena, 1, arena_bytes, out) == arena_bytes && !fclose(out) ? 0 : 6;
}
"""


def lowered_network() -> tuple[Plan, Lowered]:
    plan = network(np.random.default_rng(9))
    return plan, lower_plan(plan, threads=1, choices={}, machine=NEON)


def kernels_of(lowered: Lowered) -> dict:
    tasks = [task for stage in lowered.stages for thread in stage for task in thread]
    return {task.kernel.name: task.kernel for task in tasks}


def test_a_network_compiles_for_neon():
    _, lowered = lowered_network()
    codes = [object_code(kernel, NEON) for kernel in kernels_of(lowered).values()]
    # an object file says its processor at byte 18: 183 is aarch64
    assert all(code[:4] == b"\x7fELF" and struct.unpack_from("<H", code, 18) == (183,) for code in codes)


@pytest.mark.skipif(not shutil.which(LINKER), reason=f"{LINKER} is not installed")
@pytest.mark.skipif(not shutil.which(EMULATOR), reason=f"{EMULATOR} is not installed")
def test_a_network_is_the_reference_on_neon(tmp_path):
    plan, lowered = lowered_network()
    kernels = list(kernels_of(lowered).values())
    image = np.random.default_rng(10).standard_normal(plan.inputs[0].shape).astype(np.float32)
    view(lowered, "x", plan.inputs[0].shape)[:] = image
    program = linked(kernels, tmp_path)
    (tmp_path / "memory").write_bytes(dump(lowered, [kernel.name for kernel in kernels]))
    subprocess.run([EMULATOR, program, tmp_path / "memory", tmp_path / "after"], check=True, timeout=60)
    lowered.arena[:] = np.frombuffer((tmp_path / "after").read_bytes(), np.uint8)
    for name, reference in zip(plan.outputs, run_plan(plan, image), strict=True):
        ours = view(lowered, name, plan.shape(name))
        np.testing.assert_allclose(ours, reference, rtol=2e-5, atol=2e-5)


def view(lowered: Lowered, name: str, shape: tuple[int, ...]) -> np.ndarray:
    start = lowered.place.addresses[name] - lowered.arena.ctypes.data
    return lowered.arena[start : start + 4 * int(np.prod(shape))].view(np.float32).reshape(shape)


def linked(kernels: list, folder) -> str:
    names = [kernel.name for kernel in kernels]
    declarations = "\n".join(f"void {name}(void *);" for name in names)
    (folder / "driver.c").write_text(DRIVER % {"declarations": declarations, "names": ", ".join(names)})
    objects = []
    for kernel in kernels:
        objects.append(folder / f"{kernel.name}.o")
        objects[-1].write_bytes(object_code(kernel, NEON))
    program = str(folder / "program")
    command = [LINKER, "-static", "-O1", "-o", program, folder / "driver.c", *objects, "-lm"]
    subprocess.run(command, check=True, timeout=60)
    return program


def dump(lowered: Lowered, names: list[str]) -> bytes:
    tasks = [task for stage in lowered.stages for task in stage[0]]
    tables = [np.array(task.entries, np.int64) for task in tasks]
    pieces = [lowered.arena, *lowered.place.constants, *tables]
    parts = [struct.pack("<QQ", len(pieces), len(tasks))]
    parts += [struct.pack("<QQ", piece.ctypes.data, piece.nbytes) + piece.tobytes() for piece in pieces]
    parts += [
        struct.pack("<QQ", names.index(task.kernel.name), table.ctypes.data)
        for task, table in zip(tasks, tables, strict=True)
    ]
    return b"".join(parts)
