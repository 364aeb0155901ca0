"""Networks in ONNX Runtime."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path

import onnxruntime

from .dlib_networks import ModelError

CUDA = "CUDAExecutionProvider"
PROVIDERS = (CUDA, "CPUExecutionProvider")


def providers() -> list[str]:
    """The execution providers to use, the preferred one first: CUDA where the installed ONNX
    Runtime has it, and the CPU.
    """
    available = onnxruntime.get_available_providers()
    return [each for each in PROVIDERS if each in available]


def open_session(
    model: bytes | Path, *, threads: int, providers: Sequence[str]
) -> onnxruntime.InferenceSession:
    """A network from its bytes or its file, loaded.

    threads: how many one inference may use.

    Raises:
        ModelError: ONNX Runtime cannot run it.
    """
    if CUDA in providers:
        load_cuda()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads sleep: a web server has better uses for its cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Images come in all sizes: a memory plan for each would only grow.
    options.enable_mem_pattern = False
    source = model if isinstance(model, bytes) else str(model)
    try:
        return onnxruntime.InferenceSession(source, options, providers=list(providers))
    # ONNX Runtime's own errors have no base class in common.
    except Exception as error:
        name = "A network" if isinstance(model, bytes) else model.name
        raise ModelError(f"{name} cannot be run by ONNX Runtime: {error}") from error


@cache
def load_cuda() -> None:
    """CUDA's libraries out of the packages that the extra ``gpu`` installs, once: ONNX Runtime by
    itself finds only those of the system.
    """
    # It prints what it misses; a command's output is not the place for that.
    with redirect_stdout(sys.stderr):
        onnxruntime.preload_dlls()
