"""Where the time of a compilation goes: `compile_times`, and the environment variable ``MS_DEV_COMPILE_TIMES=1``."""

from __future__ import annotations

from mindspore.base.times import StageTime, newest, table

__all__ = ["StageTime", "compile_times", "times_table"]


def compile_times() -> tuple[StageTime, ...]:
    """The stages of the newest compilation of this thread, in the order in which they began.

    Returns:
        Records with ``name``, ``seconds`` (without the stages inside it) and ``runs``. Empty before anything was compiled; a call that
        finds its code in memory or on disk compiles nothing.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> from mindspore.compiler.times import compile_times
        >>> run = ms.jit(lambda x: x + x, backend="reference")
        >>> print(run(Tensor([1.0])))
        [2.]
        >>> sorted({"parse", "infer"} & {each.name for each in compile_times()})
        ['infer', 'parse']
    """
    return newest()


def times_table() -> str:
    """The same as text, the longest first."""
    return table("the newest call", newest())
