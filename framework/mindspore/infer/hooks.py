"""``tensor.register_hook`` in a graph: all that reads the tensor reads it through a node whose gradient is what the hook makes of it."""

from __future__ import annotations

from types import MappingProxyType

from mindspore.infer.closed import closed_call, tensor_kind
from mindspore.infer.machine import HookScope, Machine
from mindspore.infer.state import tensor
from mindspore.infer.structure import describe
from mindspore.infer.values import Abstract, Known
from mindspore.ir.graph import CUSTOM, Apply, Graph, Node, Parameter
from mindspore.ir.types import TupleType


def register(machine: Machine, owner: Abstract, hook: Abstract) -> Abstract:
    """Has `hook` called with the gradient of `owner`, if the function is differentiated; gives `owner`.

    Raises:
        TypeError: `owner` is a tensor from outside, or this is not the function itself but a branch or loop of it that runs at run time.
    """
    if not isinstance(owner, Node):
        raise TypeError(
            f"register_hook in a compiled function is for tensors that it computes, got {describe(owner)} from outside: register the "
            "hook before the call."
        )
    machine.guards.log.append(("gradients", None, None, None))
    if not machine.gradients:
        return owner
    scope = machine.hooks[-1] if machine.hooks else None
    if scope is None or len(machine.emitter.scopes) != scope.depth:
        raise TypeError(
            "register_hook under a condition or in a loop known only at run time is not supported in a graph. Register the hook on a "
            "tensor of the function itself."
        )
    seed = Parameter("d", owner.type, owner.location)

    def run() -> Abstract:
        result = machine.call(hook, (seed,))
        return seed if isinstance(result, Known) and result.value is None else tensor(machine, result)

    made = closed_call(machine, run, {seed: seed}, name="hook")
    found = made.graph.outputs()[0]
    if made.written or tensor_kind(found) != owner.type:
        raise TypeError(
            f"a hook must return None or a gradient of the type of the tensor, {owner.type}, and assign nothing."
        )
    read = made.named[1:]
    own = [Parameter("x", owner.type), *(Parameter(f"c{i}", n.type) for i, n in enumerate(read))]
    forward = Graph("hooked", own, machine.emitter.tuple([own[0]]), owner.location)
    first, *captured = made.graph.parameters
    parameters = [Parameter("x", owner.type), *captured, Parameter("y", owner.type), first]
    backward = Graph("hook", parameters, made.graph.result, owner.location)
    inputs = (machine.emitter.function(forward), machine.emitter.function(backward), owner, *read)
    kind = TupleType((tensor_kind(owner),))
    node = Apply(CUSTOM, inputs, MappingProxyType({"wrt": (0,)}), kind, machine.emitter.location)
    machine.emitter.own(node)
    _enter(scope, owner, node, machine.emitter.get(node, 0))
    return owner


def _enter(scope: HookScope, owner: Node, node: Apply, through: Node) -> None:
    """Gradients meet the hooks of a tensor in the order in which these were registered."""
    nodes, _ = scope.entries.setdefault(owner, ([], through))
    if nodes:
        nodes[-1].inputs = tuple(through if i is owner else i for i in nodes[-1].inputs)
    nodes.append(node)
