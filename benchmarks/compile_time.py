"""Times what users wait for before the first step: compiling, with an empty cache and from the cache in a new process.

    python benchmarks/compile_time.py                                   # a table
    python benchmarks/compile_time.py funnel --layers 32 64 --json      # one JSON object per line
    python benchmarks/compile_time.py resnet --layers 50 --peer PYTHON  # beside the MindSpore of another Python

``cold`` and ``warm`` are the first call less a steady call, in seconds, without importing; each runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("compile_models.py")
MODELS = ("perceptron", "funnel", "chain", "transformer", "resnet")
LAYERS = (8, 16, 32, 64)


def measured(python: str, model: str, layers: int, cache: str, paths: str | None) -> dict[str, Any]:
    """What one process says. CalledProcessError when it fails."""
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    environment.pop("PYTHONPATH", None)
    if paths:
        environment["PYTHONPATH"] = paths
    command = [python, str(WORKER), model, str(layers)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def row(model: str, layers: int, peer: str | None) -> dict[str, Any]:
    paths = os.environ.get("PYTHONPATH")
    with tempfile.TemporaryDirectory() as cache:
        cold = measured(sys.executable, model, layers, cache, paths)
        warm = measured(sys.executable, model, layers, cache, paths)
        found = {"model": model, "layers": layers, "cold": cold["compile"], "warm": warm["compile"]}
        found |= {"steady": cold["steady"], "cold_stages": cold["stages"], "warm_stages": warm["stages"]}
        if peer:
            found["peer"] = measured(peer, model, layers, cache, None)["compile"]
    return found


def line(found: Mapping[str, Any]) -> str:
    stages = "  ".join(f"{k} {v:.3f}" for k, v in found["cold_stages"].items())
    peer = f"  peer {found['peer']:.3f}" if "peer" in found else ""
    return f"{found['model']:10s} {found['layers']:4d}  cold {found['cold']:.3f}  warm {found['warm']:.3f}{peer}   {stages}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="*", metavar="model", help=f"of {', '.join(MODELS)}; the first three by default")
    parser.add_argument("--layers", nargs="+", type=int, default=LAYERS)
    parser.add_argument("--peer", help="a Python that has another MindSpore")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    options = parser.parse_args(arguments)
    unknown = [m for m in options.model if m not in MODELS]
    if unknown:
        parser.error(f"no model is called {unknown[0]!r}; expected one of {', '.join(MODELS)}")
    for model in options.model or MODELS[:3]:
        for layers in options.layers:
            found = row(model, layers, options.peer)
            print(json.dumps(found) if options.json else line(found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
