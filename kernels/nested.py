"""Functions that only compiled functions call: compiled as far as LLVM's text, without machine code of their own.

Numba by itself optimises each function as a whole library, makes its machine code, and hands what is left to its
callers, where LLVM does it all again, once for each level of calls::

    run_units            optimised, made into machine code
      take_block         optimised, made into machine code; again in run_units
        gather           optimised, made into machine code; again in take_block; again in run_units

A third of the time of compiling went there, for code that nobody called. Here only the outermost function goes that
way, with all that it calls linked into it: optimised once, it runs as fast.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding as llvm
from numba._dynfunc import make_function
from numba.core import codegen, compiler
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.environment import Environment
from numba.core.typed_passes import NativeLowering, NopythonRewrites
from numba.core.untyped_passes import InlineClosureLikes

__all__ = ["NestedCompiler", "nested_from_parts", "parts_of_nested"]

# Numba describes none of them to a type checker.
_JITCodeLibrary: Any = codegen.JITCodeLibrary
_CompilerBase: Any = compiler.CompilerBase
_NativeLowering: Any = NativeLowering

# Kernels hold neither expressions of whole arrays nor functions within functions; looking for them takes a tenth.
_NEEDLESS = (NopythonRewrites, InlineClosureLikes)


class _NestedLibrary(_JITCodeLibrary):
    """Text of LLVM for others to link in."""

    def _optimize_final_module(self) -> None:
        """Leave it to the outermost caller."""

    def _finalize_final_module(self) -> None:
        """Keep it from the engine, which would make machine code of it."""
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True


def _offered(library: Any, fndesc: Any) -> Any:
    """What stands for the function where Numba looks for what can be called. It must not be called from Python."""
    return make_function(
        fndesc.lookup_module(), fndesc.qualname.split(".")[-1], "", 0, Environment.from_fndesc(fndesc), (library,)
    )


@register_pass(mutates_CFG=True, analysis_only=False)
class _NestedLowering(_NativeLowering):
    _name = "nested_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = _NestedLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        state.library.finalize()
        lowered = state["cr"]
        entry = _offered(state.library, lowered.fndesc)
        state.targetctx.insert_user_function(entry, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=entry)
        return True


class NestedCompiler(_CompilerBase):
    """Numba's passes, the last of them ending with LLVM's text."""

    def define_pipelines(self) -> list[Any]:
        """The passes."""
        usual = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager = PassManager("nested")
        steps = [(step, what) for step, what in usual.passes if step not in _NEEDLESS]
        manager.passes = [(_NestedLowering if step is NativeLowering else step, what) for step, what in steps]
        manager.finalize()
        return [manager]


def parts_of_nested(result: Any) -> tuple[Any, ...]:
    """What can be pickled of a function that `NestedCompiler` compiled, and is enough to link it in."""
    fndesc = result.fndesc
    fndesc.typemap = fndesc.calltypes = None  # of use for lowering only, and not all of it can be pickled
    return result.library.name, result.library._get_module_for_linking().as_bitcode(), fndesc, result.signature


def nested_from_parts(target_context: Any, name: str, bitcode: bytes, fndesc: Any, signature: Any) -> Any:
    """The function again, in another process."""
    library = _NestedLibrary(target_context.codegen(), name)
    library._final_module = library._shared_module = llvm.parse_bitcode(bitcode)
    library._finalized = True
    return compiler.compile_result(
        target_context=target_context, typing_context=target_context.typing_context, library=library, fndesc=fndesc,
        entry_point=_offered(library, fndesc), signature=signature, objectmode=False, lifted=(),
        reload_init=(), referenced_envs=(), metadata={},
    )
