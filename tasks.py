"""The project's tasks. `python3 tasks.py TASK...` sets up what the tasks need, then runs them; `invoke TASK...` does too."""

from __future__ import annotations

import sys

from ci import bootstrap

if __name__ == "__main__":
    bootstrap.start(sys.argv[1:])

from types import ModuleType
from typing import Any

from invoke.collection import Collection
from invoke.tasks import Task

from ci.tasks import artefacts, branches, building, pipelines, releases


def _group(name: str, module: ModuleType, **others: Task[Any]) -> Collection:
    """The tasks of a module whose names start with that of the group, and `others`."""
    group = Collection(name)
    own = {key.removeprefix(f"{name}_"): task for key, task in vars(module).items() if key.startswith(f"{name}_")}
    for member, body in (others | own).items():
        group.add_task(body, name=member)
    return group


namespace = Collection()
for _name in ("setup", "build", "run", "generate", "doctor", "lint", "sanitize"):
    namespace.add_task(getattr(building, _name))
namespace.add_task(building.run_tests, name="test")
namespace.add_collection(_group("wheel", artefacts))
namespace.add_collection(_group("image", artefacts, build=building.build))
namespace.add_collection(_group("branch", branches))
namespace.add_collection(_group("release", releases, reproduce=artefacts.image_reproduce))
namespace.add_collection(_group("ci", pipelines))
