"""Compile the kernels for packages, which lack numba: one library for each level of x86-64.

    python -m tools.packages.kernels FOLDER [--windows]

numba compiles them as it does at a start from the sources, for a named processor in place of this
one. What calls them from Python is left out; `app.core.compiling` passes the arguments. Needs gcc,
for Windows that of mingw-w64.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.core.compiling import LEVELS
from app.matting.choice.trials import KERNELS

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = r"""
#include <stdint.h>
#include <stdlib.h>
/* What numba's arrays need: `Memory` begins as its NRT_MemInfo does. */
typedef struct { size_t references; void *destructor, *information, *data; size_t size; void *allocator; } Memory;
Memory *NRT_MemInfo_alloc_aligned(size_t size, uint32_t align) {
    char *block = malloc(sizeof(Memory) + size + align);
    if (!block) return NULL;
    uintptr_t data = (uintptr_t)(block + sizeof(Memory) + align - 1) / align * align;
    *(Memory *)block = (Memory){1, NULL, NULL, (void *)data, size, NULL};
    return (Memory *)block;
}
void *NRT_Allocate(size_t size) { return malloc(size); }
void NRT_Free(void *block) { free(block); }
void NRT_MemInfo_call_dtor(Memory *memory) { free(memory); }
/* For arrays without gaps alone; others are refused, and the kernel fails. */
int numba_attempt_nocopy_reshape(intptr_t ndim, const intptr_t *shape, const intptr_t *strides, intptr_t new_ndim,
                                 const intptr_t *new_shape, intptr_t *new_strides, intptr_t itemsize, int fortran) {
    intptr_t step = itemsize;
    for (intptr_t i = ndim; i-- > 0; step *= shape[i])
        if (shape[i] != 1 && strides[i] != step) return 0;
    step = itemsize;
    for (intptr_t i = new_ndim; i-- > 0; step *= new_shape[i]) new_strides[i] = step;
    return !fortran;
}
"""


@dataclass(frozen=True)
class Linking:
    """What makes a library of object files for one system."""

    triple: str
    """System in the words of LLVM; empty for this one."""
    suffix: str
    command: tuple[str, ...]


LINUX = Linking(
    "",
    ".so",
    (
        "gcc",
        "-shared",
        "-fPIC",
        "-O2",
        "-s",
        "-Wl,--no-undefined",
        "-Wl,--build-id=none,-Bsymbolic",
    ),
)
WINDOWS = Linking(
    "x86_64-w64-windows-gnu",
    ".dll",
    # The base is otherwise made of the path that the library is written to.
    (
        "x86_64-w64-mingw32-gcc",
        "-shared",
        "-O2",
        "-s",
        "-static-libgcc",
        "-Wl,--no-insert-timestamp,--image-base=0x180000000",
    ),
)


def build(folder: Path, levels: Iterable[str] = LEVELS, linking: Linking = LINUX) -> None:
    """Write the library of each level into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for level in levels:
        with tempfile.TemporaryDirectory() as scratch:
            fixed = {
                "NUMBA_CPU_NAME": level,
                "NUMBA_CPU_FEATURES": "",
                "NUMBA_CACHE_DIR": str(Path(scratch) / "cache"),
            }
            command = [sys.executable, "-m", "tools.packages.kernels", "--objects", scratch]
            if linking is WINDOWS:
                command.append("--windows")
            subprocess.run(command, cwd=ROOT, env=os.environ | fixed, check=True)
            (Path(scratch) / "runtime.c").write_text(RUNTIME, "ascii")
            objects = sorted(path.name for path in Path(scratch).glob("*.o"))
            library = (folder / f"{level}{linking.suffix}").resolve()
            link = [*linking.command, "runtime.c", *objects, "-lm", "-o", str(library)]
            subprocess.run(link, cwd=scratch, check=True)


def write_objects(folder: Path, triple: str) -> None:
    """Write an object file for each kernel, for the processor that the environment names. triple:
    as in `Linking`.
    """
    from app.core.compiling import kernels

    for module in KERNELS:
        importlib.import_module(module)
    for dispatcher in kernels:
        (compiled,) = dispatcher.overloads.values()
        code = str(compiled.library._final_module)  # noqa: SLF001 - numba has no public way to it
        file = folder / f"{dispatcher.__name__}.o"
        file.write_bytes(_object(code, triple, compiled.fndesc.mangled_name, dispatcher.__name__))


def _object(code: str, triple: str, name: str, public: str) -> bytes:
    """Return the machine code of a module that exports one function, for the system `triple`."""
    import llvmlite.binding as llvm  # type: ignore[import-untyped]

    module = llvm.parse_assembly(code)
    for function in module.functions:
        if not function.is_declaration:
            function.linkage = "external" if function.name == name else "internal"
    for value in module.global_variables:
        if not value.is_declaration:
            value.linkage = "internal"
    target = llvm.Target.from_triple(triple or module.triple)
    machine = target.create_target_machine(
        cpu=os.environ["NUMBA_CPU_NAME"], features="", opt=3, reloc="pic", codemodel="small"
    )
    if triple:
        module.triple = triple
        module.data_layout = str(machine.target_data)
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(
        module,
        llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=0)),
    )
    module.get_function(name).name = public
    return bytes(machine.emit_object(module))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    # in a process for each level
    parser.add_argument("--objects", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--windows", action="store_true", help="for Windows in place of this system"
    )
    options = parser.parse_args()
    linking = WINDOWS if options.windows else LINUX
    if options.objects:
        write_objects(options.folder, linking.triple)
    else:
        build(options.folder, linking=linking)
