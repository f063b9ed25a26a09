"""The one owner of Numba compilation and of the code cache.

Kernels are generated as the text of one self-contained module each. `load_module` names the module by a hash
of everything its machine code depends on: the text, the sources of this package, the versions of Numba and
what it builds on, and the CPU. So nothing is ever brought up to date: what changed has another name.

In the cache folder, beside each other:

    winograd_kernels_<stem>_<hash>.py                     the text, for people and tracebacks
    winograd_kernels_<stem>_<hash>.<function>.<key>.bin   machine code for one signature: SHA-256, pickle
    winograd_kernels_<stem>_<hash>.<function>.<key>.part  LLVM's text, where other functions call it: the same

What runs is always the text in memory, never the file. Numba's own cache is not used: it trusts what it reads
(a damaged file raises, or worse, runs), and two processes that compile two signatures of one function at once
can end up with each other's code, for both give the same number to their files.
"""

import hashlib
import os
import pickle
import re
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import llvmlite
import numba
import numpy as np
import platformdirs
from numba.core import compiler
from numba.core import config as numba_config
from numba.core.serialize import dumps

from kernels.host import host
from kernels.lane_memory import LaneOps
from kernels.nested import NestedCompiler, nested_from_parts, parts_of_nested

__all__ = ["cache_folder", "clear_cache", "fingerprint", "header", "inlined", "kernel", "load_module", "module_name",
           "write_whole"]

# nogil: threads share a kernel's work. error_model: no division raises. fastmath would change rounded bits.
# Without Numba's run time (_nrt) compiled code allocates nothing and counts no references: its caller holds its arrays.
# An array whose last use lay in a branch was counted there, which cost atomic steps and, around the call, every
# register: up to half the time of a depthwise kernel.
# Nor is there an entry for callers in C (no_cfunc_wrapper), which would be compiled with each function.
_SETTINGS: dict[str, Any] = {
    "nogil": True, "fastmath": False, "error_model": "numpy", "boundscheck": False, "_nrt": False,
    "no_cfunc_wrapper": True,
}

_NESTED = _SETTINGS | {"no_cpython_wrapper": True}

# Numba describes neither of them to a type checker.
config: Any = numba_config
CompileResult: Any = compiler.CompileResult

_LOCK = threading.RLock()
_LOADED: dict[str, ModuleType] = {}
_FOLDERS: dict[str, Path] = {}  # of the generated modules, by name: where their machine code is kept
_WARNED: set[Path] = set()


def _source_digest() -> str:
    """Hash of all sources of this package, as they are when it is imported."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        text = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(text)}\n".encode() + text)
    return digest.hexdigest()


_SOURCES = _source_digest()


def cache_folder() -> Path:
    """The folder of generated text and machine code: WINOGRAD_CACHE_DIR, or else the user's cache folder.

    Whoever can write there can have code run in this process, as with any cache of machine code.
    """
    return Path(os.environ.get("WINOGRAD_CACHE_DIR") or platformdirs.user_cache_dir("winograd-kernels"))


def clear_cache() -> int:
    """Delete every cached file of generated modules; returns how many. Kernels in use are not disturbed."""
    files = list(cache_folder().glob("winograd_kernels_*"))
    for path in files:
        path.unlink(missing_ok=True)
    return len(files)


@cache
def fingerprint() -> str:
    """Hash of all that machine code depends on beside the text: sources, versions, CPU, Numba's settings."""
    cpu = host()
    parts = (
        _SOURCES,
        numba.__version__,
        llvmlite.__version__,
        np.__version__,
        sys.version,
        sys.platform,
        cpu.cpu,
        cpu.features,
        str((config.OPT, config.LOOP_VECTORIZE, config.SLP_VECTORIZE, config.DEBUGINFO_DEFAULT, config.BOUNDSCHECK)),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def module_name(text: str, stem: str) -> str:
    """Name of the module that this text becomes: readable stem, then 20 hexadecimal digits of its hash."""
    digest = hashlib.sha256(f"{fingerprint()}\0{stem}\0{text}".encode()).hexdigest()
    return f"winograd_kernels_{re.sub('[^0-9A-Za-z]+', '_', stem)[:60]}_{digest[:20]}"


def write_whole(path: Path, data: bytes) -> None:
    """Write the file whole or not at all, as other processes may be at it too. Warn once if it cannot be."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".writing_", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        if path.parent not in _WARNED:
            _WARNED.add(path.parent)
            warnings.warn(
                f"code cache must be writable; {path.parent} is not ({error.strerror}), so each process "
                "compiles its kernels anew (set WINOGRAD_CACHE_DIR to another folder)",
                RuntimeWarning,
                stacklevel=3,
            )


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


class _MachineCode:
    """The cache of one kernel, as Numba's dispatcher uses it: a file for each signature."""

    _ending = "bin"

    def __init__(self, folder: Path, module: str, function: str) -> None:
        self._folder, self._module, self._function = folder, module, function

    @property
    def cache_path(self) -> str:
        return str(self._folder)

    def _path(self, sig: Any, codegen: Any) -> Path:
        key = hashlib.sha256(repr((str(sig), codegen.magic_tuple())).encode()).hexdigest()
        return self._folder / f"{self._module}.{self._function}.{key[:20]}.{self._ending}"

    @staticmethod
    def _digest(path: Path, payload: bytes) -> bytes:
        return hashlib.sha256(path.name.encode() + b"\0" + payload).digest()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        path = self._path(sig, target_context.codegen())
        data = _read(path)
        if data is None or data[:32] != self._digest(path, data[32:]):
            return None  # absent or damaged: compile it
        return self._restored(target_context, *pickle.loads(data[32:]))

    def save_overload(self, sig: Any, result: Any) -> None:
        if result.lifted or result.library.has_dynamic_globals:
            return  # holds addresses of this process
        path = self._path(sig, result.codegen)
        payload = dumps(self._parts(result))
        write_whole(path, self._digest(path, payload) + payload)

    def flush(self) -> None:
        for path in self._folder.glob(f"{self._module}.{self._function}.*.{self._ending}"):
            path.unlink(missing_ok=True)

    @staticmethod
    def _parts(result: Any) -> Any:
        return result._reduce()

    @staticmethod
    def _restored(target_context: Any, *parts: Any) -> Any:
        return CompileResult._rebuild(target_context, *parts)


class _NestedCode(_MachineCode):
    """The same for what is linked into other kernels."""

    _ending = "part"
    _parts = staticmethod(parts_of_nested)
    _restored = staticmethod(nested_from_parts)


def _compiled(function: Callable[..., Any], signature: Any) -> Any:
    dispatcher = numba.njit(**_SETTINGS)(function)
    nested = numba.njit(pipeline_class=NestedCompiler, **_NESTED)(function)
    if function.__module__ in _FOLDERS:
        place = _FOLDERS[function.__module__], function.__module__, function.__qualname__
        dispatcher._cache, nested._cache = _MachineCode(*place), _NestedCode(*place)
    if signature is not None:
        dispatcher.compile(signature)
        dispatcher.disable_compile()
    else:  # these two are what Numba asks of a function that another one calls
        dispatcher.get_call_template, dispatcher.get_overload = nested.get_call_template, nested.get_overload
    return dispatcher


def kernel(function_or_signature: Any) -> Any:
    """Decorator: a compiled function, whose machine code is kept between processes.

    Used plainly it compiles at the first call, for the types of its arguments. With a signature it compiles
    at once, for that signature only; arguments declared as read-only arrays then take writable ones too.

    Outside of a generated module it compiles without the cache: nothing would tell when the code is stale.

    Parameters
    ----------
    function_or_signature : function, or str, or numba signature
        What is compiled; or the signature, such as `"void(float32[::1], int64)"`.

    Returns
    -------
    Numba dispatcher, or the decorator that makes it

    Rounding
    --------
    None of its own: neither reassociation nor contraction is allowed.

    Examples
    --------
    >>> @kernel
    ... def half(x):
    ...     return x * np.float32(0.5)
    >>> half(np.float32(3))
    1.5
    """
    if callable(function_or_signature) and not isinstance(function_or_signature, numba.types.Type):
        return _compiled(function_or_signature, None)
    return lambda function: _compiled(function, function_or_signature)


def inlined(function: Callable[..., Any]) -> Any:
    """Decorator: a function that is compiled into each kernel that calls it, and has no code of its own.

    Straight-line text over Lanes belongs here: its many vectors then stay in registers.
    """
    return numba.njit(pipeline_class=NestedCompiler, forceinline=True, **_NESTED)(function)


def header(length: int) -> str:
    """The lines that open a generated module whose vectors have this length.

    They define `np`, `kernel`, `inlined`, `claimed_unit`, `fetch_add`, `fma`, `at_least`, `keep_apart`, `keep_rolled`,
    `prefetch` and the operations of `kernels.lane_memory.lane_ops`.

    Examples
    --------
    >>> print(header(8), end="")
    import numpy as np
    from kernels.atomic import claimed_unit, fetch_add
    from kernels.compilation import inlined, kernel
    from kernels.lane_memory import lane_ops, prefetch
    from kernels.simd import at_least, fma, keep_apart, keep_rolled
    <BLANKLINE>
    load, load_first, ..., transpose_corner = lane_ops(8)
    """
    return (
        "import numpy as np\n"
        "from kernels.atomic import claimed_unit, fetch_add\n"
        "from kernels.compilation import inlined, kernel\n"
        "from kernels.lane_memory import lane_ops, prefetch\n"
        "from kernels.simd import at_least, fma, keep_apart, keep_rolled\n\n"
        f"{', '.join(LaneOps._fields)} = lane_ops({length})\n"
    )


def load_module(text: str, stem: str) -> ModuleType:
    """The generated module with this text.

    Asked twice for the same text, a process gets the same module. Any number of processes may ask at once.

    Parameters
    ----------
    text : str
        A self-contained module. Its functions are decorated with `kernel` or `inlined`.
    stem : str
        What it is, for its file's name; signs other than letters and digits become "_".

    Returns
    -------
    module

    Raises
    ------
    TypeError
        If the text or the stem is not a string.

    Warns
    -----
    RuntimeWarning
        Once, if the cache folder cannot be written. Everything works, but each process compiles again.

    Examples
    --------
    >>> load_module("import numpy as np\\nC = np.float32(2)\\n", "two").C
    np.float32(2.0)
    """
    for name, value in (("text", text), ("stem", stem)):
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a string; got {type(value).__name__}.")
    with _LOCK:
        name = module_name(text, stem)
        if name in _LOADED:
            return _LOADED[name]
        path = cache_folder() / f"{name}.py"
        data = text.encode()
        if _read(path) != data:
            write_whole(path, data)
        module = ModuleType(name)
        module.__file__ = str(path)
        # Numba looks a function's module up by name, while it runs the text and when it loads machine code.
        sys.modules[name] = module
        _FOLDERS[name] = path.parent
        try:
            exec(compile(text, str(path), "exec", dont_inherit=True), module.__dict__)
        except BaseException:
            del sys.modules[name], _FOLDERS[name]
            raise
        _LOADED[name] = module
        return module
