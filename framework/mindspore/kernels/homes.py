"""Where every value of a function lives: in a parameter, a result, a constant or the arena."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mindspore.base.symbolic import Size
from mindspore.kernels.arena import Arena
from mindspore.kernels.program import Function, Value
from mindspore.kernels.tasks import Task, copy_task


@dataclass(frozen=True, slots=True)
class Home:
    """``kind`` is parameter, result, constant or arena; ``index`` its position, for the arena the offset in bytes."""

    kind: str
    index: int


@dataclass(slots=True)
class Plan:
    """``scratch``: arena offset of a task's own memory. ``tasks`` end with the copies that bring late updates home."""

    homes: dict[Value, Home]
    arena_bytes: int
    tasks: list[Task]
    scratch: dict[Task, int] = field(default_factory=dict)


SYMBOLIC = "symbolic"
ARENAS = ("arena", SYMBOLIC)
"""Kinds of homes while a plan is made."""


class _Planner:
    def __init__(self, function: Function, tasks: Sequence[Task], constants: Callable[[Value], int]) -> None:
        self.function, self.tasks, self.constants = function, list(tasks), constants
        self.homes: dict[Value, Home] = {p: Home("parameter", i) for i, p in enumerate(function.parameters)}
        self.last: dict[Value, int] = {}
        self.arenas = {False: Arena(), True: Arena()}
        """For numbers of bytes that are known, and behind these for symbolic ones: where one lies does not depend on how they compare."""
        self.scratch: dict[Task, Home] = {}
        self.acting = max((position for position, task in enumerate(self.tasks) if task.effects), default=-1)
        for position, task in enumerate(self.tasks):
            self.last.update((value, position) for value in task.reads)

    def run(self) -> Plan:
        late = self.place_results()
        for value in late:
            self.last[value] = len(self.tasks)
        for position, task in enumerate(self.tasks):
            self.place_constants(task)
            self.place_task(position, task)
        copies = [copy_task(value, self.function.parameters[target]) for value, target in late.items()]
        known, symbolic = (self.arenas[kind].size for kind in (False, True))
        homes = {v: Home("arena", h.index + known) if h.kind == SYMBOLIC else h for v, h in self.homes.items()}
        scratch = {t: h.index + known if h.kind == SYMBOLIC else h.index for t, h in self.scratch.items()}
        return Plan(homes, known + symbolic, [*self.tasks, *copies], scratch)

    def take(self, nbytes: int) -> Home:
        """Memory in the arena for its kind of size."""
        symbolic = isinstance(nbytes, Size)
        return Home(SYMBOLIC if symbolic else "arena", self.arenas[symbolic].take(nbytes))

    def give(self, home: Home) -> None:
        self.arenas[home.kind == SYMBOLIC].give(home.index)

    def place_results(self) -> dict[Value, int]:
        """Results to their slots; gives the updates that must wait until the end, with their parameters."""
        made = {value: position for position, task in enumerate(self.tasks) for value in task.writes}
        late: dict[Value, int] = {}
        for index, value in enumerate(self.function.results):
            target = self.function.updates.get(index)
            if target is None:
                self.homes[value] = Home("result", index)
            elif value not in self.homes and value in made:
                if self.may_overwrite(value, made[value], self.function.parameters[target]):
                    self.settle(value, made, target)
                else:
                    late[value] = target
        return late

    def settle(self, value: Value, made: Mapping[Value, int], target: int) -> None:
        """Gives `value` the memory of a parameter, and what it is computed from, step by step, where each may share it."""
        parameter, position = self.function.parameters[target], made[value]
        while True:
            self.homes[value] = Home("parameter", target)
            for base in self.tasks[position].shares.get(value, ()):
                fits = base in made and base not in self.homes and self.last[base] == position
                if fits and base not in self.function.results and self.may_overwrite(base, made[base], parameter):
                    value, position = base, made[base]
                    break
            else:
                return

    def may_overwrite(self, value: Value, position: int, parameter: Value) -> bool:
        """Nothing reads the parameter's old value after `value` is written over it, and no effect ends the run."""
        if position <= self.acting:
            return False
        last = self.last.get(parameter, -1)
        return last < position or (last == position and parameter in self.tasks[position].shares.get(value, ()))

    def place_constants(self, task: Task) -> None:
        for value in task.reads:
            if value.constant is not None and value not in self.homes:
                self.homes[value] = Home("constant", self.constants(value))

    def place_task(self, position: int, task: Task) -> None:
        ending = {v for v in task.reads if self.last[v] == position and self.homes[v].kind in ARENAS}
        for value in task.writes:
            if value not in self.homes:
                self.homes[value] = self.inherited(task, value, ending) or self.take(value.nbytes)
        if task.scratch:
            self.scratch[task] = self.take(task.scratch)
            self.give(self.scratch[task])
        unread = [v for v in task.writes if v not in self.last and self.homes[v].kind in ARENAS]
        for value in [*[v for v in task.reads if v in ending], *unread]:
            self.give(self.homes[value])

    def inherited(self, task: Task, value: Value, ending: set[Value]) -> Home | None:
        """The memory of an input that is not needed after this task; it then belongs to `value`."""
        for given in task.shares.get(value, ()):
            if given in ending:
                ending.discard(given)
                return self.homes[given]
        return None


def plan(function: Function, tasks: Sequence[Task], constants: Callable[[Value], int]) -> Plan:
    """Homes for the values of `function`; `constants` gives each constant its position, the same in all functions of a module."""
    return _Planner(function, tasks, constants).run()
