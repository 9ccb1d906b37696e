"""``python -m mindspore``: is this installation able to compile and run a network? Exit code 0 when it is, 1 otherwise."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

EXPECTED = "[ 4. 10. 18.]"


def product() -> str:
    """``[1 2 3] * [4 5 6]`` by a Cell compiled in graph mode, as printed."""
    import mindspore as ms
    from mindspore import nn, ops

    class Mul(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.mul = ops.Mul()

        def construct(self, x: Any, y: Any) -> Any:
            return self.mul(x, y)

    ms.set_context(mode=ms.GRAPH_MODE, device_target="CPU")
    return str(Mul()(ms.Tensor([1.0, 2.0, 3.0]), ms.Tensor([4.0, 5.0, 6.0])))


def report() -> dict[str, Any]:
    """What was found; ``error`` says what failed, and what it was doing."""
    found: dict[str, Any] = {"version": None, "device": "CPU", "isa": None, "product": None, "ok": False}
    try:
        import mindspore as ms

        found["version"] = ms.__version__
        from mindspore import _native

        found["isa"] = _native.isa_level()
        found["threads"] = _native.get_num_threads()
        found["product"] = product()
        found["ok"] = found["product"] == EXPECTED
        if not found["ok"]:
            found["error"] = f"the product should be {EXPECTED}"
    except Exception as error:
        found["error"] = f"{type(error).__name__}: {error}"
    return found


def text(found: dict[str, Any]) -> str:
    lines = [
        f"MindSpore version: {found['version']}",
        f"device: {found['device']}, instruction set level {found['isa']}, {found.get('threads', '?')} thread(s)",
        f"[1 2 3] * [4 5 6] = {found['product']}",
    ]
    if found["ok"]:
        lines.append("verdict: MindSpore is installed correctly.")
    else:
        lines.append(f"verdict: MindSpore does not work here: {found['error']}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m mindspore", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    found = report()
    print(json.dumps(found) if options.json else text(found))
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
