"""Open networks in ONNX Runtime, and read the inputs and outputs of their files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import NamedTuple

import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument, InvalidProtobuf

from .dlib_networks import ModelError

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
PROVIDERS = (CUDA, CPU)

# The types of inputs that pixels can be given as: ONNX Runtime's names, and numpy's.
DTYPES = {
    "tensor(float)": "float32",
    "tensor(uint8)": "uint8",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
}

_ERRORS = 3  # ONNX Runtime's level of log messages

# ONNX Runtime's errors for files that are not protocol buffers, or have no graph or operator set.
_NO_MODEL = (InvalidProtobuf, InvalidArgument)
_NO_OPSET = "Missing opset"


class Tensor(NamedTuple):
    """An input or output of a network.

    Attributes:
        name: Its name.
        dtype: Numpy's name of its type; "" for a type not in `DTYPES`.
        shape: Its dimensions; None for one that varies or is unknown. Empty if nothing is known.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    @classmethod
    def from_node(cls, node: onnxruntime.NodeArg) -> Tensor:
        """Return the tensor that ONNX Runtime describes."""
        # A dimension that varies has a name or is None. Some exporters write 0 or -1 for it.
        shape = tuple(
            each if isinstance(each, int) and each > 0 else None for each in node.shape or ()
        )
        return cls(node.name, DTYPES.get(node.type, ""), shape)


class Signature(NamedTuple):
    """The inputs and outputs of a network, without its weights."""

    inputs: list[Tensor]
    outputs: list[Tensor]


def providers() -> list[str]:
    """Return the execution providers to use, the preferred one first.

    CUDA if the installed ONNX Runtime supports it, then the CPU.
    """
    available = onnxruntime.get_available_providers()
    return [each for each in PROVIDERS if each in available]


def open_session(
    model: bytes | Path, *, threads: int, providers: Sequence[str]
) -> onnxruntime.InferenceSession:
    """Load a network.

    Args:
        model: The content of an ONNX file, or its path.
        threads: The number of threads for one inference.
        providers: ONNX Runtime's execution providers, the preferred one first.

    Raises:
        ModelError: ONNX Runtime cannot run the network.
    """
    if CUDA in providers:
        load_cuda()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads sleep: a web server has better uses for its cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Images come in all sizes, and memory plans for each of them would only accumulate.
    options.enable_mem_pattern = False
    source = model if isinstance(model, bytes) else str(model)
    try:
        return onnxruntime.InferenceSession(source, options, providers=list(providers))
    # ONNX Runtime's errors have no common base class.
    except Exception as error:
        name = "A network" if isinstance(model, bytes) else model.name
        raise ModelError(f"{name} cannot be run by ONNX Runtime: {error}") from error


def read_signature(path: Path) -> Signature:
    """Return the inputs and outputs of the network in an ONNX file.

    ONNX Runtime loads the file for this and forgets it. It neither optimises the network nor starts
    threads, so a process that reads a signature can still fork. For a file of 172 MB this takes
    about half a second.

    Raises:
        ModelError: The file cannot be read, is not an ONNX model, or cannot be run.
    """
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    # Warnings are printed when the network is loaded for good.
    options.log_severity_level = _ERRORS
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=[CPU])
    except Exception as error:
        if isinstance(error, _NO_MODEL) or _NO_OPSET in str(error):
            raise ModelError(f"{path} is not an ONNX model, or is damaged.") from error
        raise ModelError(f"{path} cannot be run by ONNX Runtime: {error}") from error
    # Weights that old files list among the inputs are not among these.
    inputs = [Tensor.from_node(each) for each in session.get_inputs()]
    outputs = [Tensor.from_node(each) for each in session.get_outputs()]
    if not inputs or not outputs:
        raise ModelError(f"{path} is not an ONNX model, or is damaged.")
    return Signature(inputs, outputs)


@cache
def load_cuda() -> None:
    """Load CUDA's libraries from the packages that the extra ``gpu`` installs, once.

    ONNX Runtime by itself finds only libraries installed in the system.
    """
    # The function prints which libraries are missing; keep this out of a command's output.
    with redirect_stdout(sys.stderr):
        onnxruntime.preload_dlls()
