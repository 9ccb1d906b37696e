"""Operations of the sweep that training uses, in mixed precision above all: activations, casts, rows, losses, optimizers."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sweep_shapes import Case, Function, Operation, Shape

LOW = ("float16", "bfloat16")
MILLION = 1 << 20


def _jax() -> Any:
    return importlib.import_module("jax")


def _pulled_torch(function: Function) -> Function:
    """The gradient of ``function(torch, x)`` along the last operand."""

    def pulled(torch: Any, x: Any, d: Any, **options: Any) -> Any:
        leaf = x.detach().requires_grad_()
        with torch.enable_grad():
            return torch.autograd.grad(function(torch, leaf, **options), leaf, d)[0]

    return pulled


def _pulled_jax(function: Function | None) -> Function | None:
    def pulled(jnp: Any, x: Any, d: Any, **options: Any) -> Any:
        assert function is not None
        return _jax().vjp(lambda t: function(jnp, t, **options), x)[1](d)[0]

    return pulled if function else None


def _pulled(operation: Operation) -> Operation:
    """The gradient of an operation of one operand; the second is the cotangent."""
    forward, torch = operation.ours, operation.torch
    assert torch is not None
    return Operation(
        lambda ops, x, d, **options: ops.GradOperation(sens_param=True)(lambda t: forward(ops, t, **options))(x, d),
        _pulled_torch(torch), _pulled_jax(operation.jax),
    )  # fmt: skip


def _nn(name: str) -> Function:
    """A function of ``jax.nn``."""

    def call(jnp: Any, x: Any) -> Any:
        return getattr(_jax().nn, name)(x)

    return call


def _exact_gelu(jnp: Any, x: Any) -> Any:
    return _jax().nn.gelu(x, approximate=False)


_FUNCTIONAL = {
    "relu": _nn("relu"), "gelu": _exact_gelu, "silu": _nn("silu"), "softplus": _nn("softplus"), "hardswish": _nn("hard_swish"),
    "mish": _nn("mish"), "elu": _nn("elu"), "leaky_relu": _nn("leaky_relu"),
}  # fmt: skip
_PLAIN: Mapping[str, Function | None] = {
    "sigmoid": _nn("sigmoid"), "tanh": lambda jnp, x: jnp.tanh(x), "exp": lambda jnp, x: jnp.exp(x),
}  # fmt: skip


def _called(name: str) -> Function:
    return lambda module, x: getattr(module, name)(x)


def _of_functional(name: str) -> Function:
    return lambda torch, x: getattr(torch.nn.functional, name)(x)


ACTIVATIONS: Mapping[str, Operation] = {
    **{f"{n} forward": Operation(_called(n), _of_functional(n), jax) for n, jax in _FUNCTIONAL.items()},
    **{f"{n} forward": Operation(_called(n), _called(n), jax) for n, jax in _PLAIN.items()},
    "log forward": Operation(_called("log"), _called("log"), _called("log"), operands=("positive",)),
    "gelu by tanh forward": Operation(
        lambda ops, x: ops.gelu(x, approximate="tanh"), lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh"),
        _nn("gelu"),
    ),
}  # fmt: skip

GRADIENTS: Mapping[str, Operation] = {
    f"{name.removesuffix(' forward')} gradient": _pulled(operation)
    for name, operation in ACTIVATIONS.items()
    if name != "log forward"
}


def _everywhere(function: Function, *kinds: str) -> Operation:
    """What all frameworks write alike."""
    return Operation(function, function, function, function, kinds or ("normal", "positive"))


PLAIN: Mapping[str, Operation] = {
    "convert": Operation(
        lambda ops, x, to: x.astype(to), lambda torch, x, to: x.to(getattr(torch, to)), lambda jnp, x, to: x.astype(to),
        lambda np, x, to: x.astype(to),
    ),
    "plus": _everywhere(lambda module, x, y: x + y),
    "times": _everywhere(lambda module, x, y: x * y),
    "over": _everywhere(lambda module, x, y: x / y),
    "whole division": _everywhere(lambda module, x, y: x // y, "normal", "divisor"),
    "modulo": _everywhere(lambda module, x, y: x % y, "normal", "divisor"),
    "shift left": Operation(
        lambda ops, x, y: ops.bitwise_left_shift(x, y), lambda torch, x, y: x << y, lambda jnp, x, y: x << y,
        lambda np, x, y: x << y, ("normal", "shift"),
    ),
    "shift right": Operation(
        lambda ops, x, y: ops.bitwise_right_shift(x, y), lambda torch, x, y: x >> y, lambda jnp, x, y: x >> y,
        lambda np, x, y: x >> y, ("normal", "shift"),
    ),
    "and": _everywhere(lambda module, x, y: x & y),
    "above": _everywhere(lambda module, x, y: x > y),
    "unequal": _everywhere(lambda module, x, y: x != y),
    "is nan": _everywhere(lambda module, x: module.isnan(x)),
    "is finite": _everywhere(lambda module, x: module.isfinite(x)),
    "size of": _everywhere(lambda module, x: module.abs(x)),
    "all finite": _everywhere(lambda module, x: module.isfinite(x).all()),
}  # fmt: skip


def _layer_norm(jnp: Any, x: Any, weight: Any, bias: Any) -> Any:
    mean, variance = x.mean(-1, keepdims=True), jnp.var(x, -1, keepdims=True)
    return (x - mean) * _jax().lax.rsqrt(variance + 1e-5) * weight + bias


def _softmax(jnp: Any, x: Any) -> Any:
    return _jax().nn.softmax(x, -1)


def _convolved(jnp: Any, x: Any, w: Any) -> Any:
    return _jax().lax.conv_general_dilated(x, w, [1, 1], [(1, 1), (1, 1)])


ROWS: Mapping[str, Operation] = {
    "layer norm": Operation(
        lambda ops, x, w, b: ops.layer_norm(x, x.shape[-1:], w, b),
        lambda torch, x, w, b: torch.nn.functional.layer_norm(x, x.shape[-1:], w, b), _layer_norm,
    ),
    "softmax of rows": Operation(lambda ops, x: ops.softmax(x, -1), lambda torch, x: torch.softmax(x, -1), _softmax),
    "sum along": _everywhere(lambda module, x, axis: x.sum(axis)),
    "mean along": _everywhere(lambda module, x, axis: x.mean(axis)),
    "max along": Operation(
        lambda ops, x, axis: ops.amax(x, axis), lambda torch, x, axis: torch.amax(x, axis), lambda jnp, x, axis: x.max(axis),
        lambda np, x, axis: x.max(axis),
    ),
    "argmax along": Operation(
        lambda ops, x, axis: ops.argmax(x, axis), lambda torch, x, axis: torch.argmax(x, axis), lambda jnp, x, axis: x.argmax(axis),
        lambda np, x, axis: x.argmax(axis),
    ),
    "product": Operation(
        lambda ops, x, y: ops.matmul(x, y), lambda torch, x, y: torch.matmul(x, y), lambda jnp, x, y: jnp.matmul(x, y)
    ),
    "product with transposed": Operation(
        lambda ops, x, y: ops.matmul(x, y.T), lambda torch, x, y: torch.matmul(x, y.T), lambda jnp, x, y: jnp.matmul(x, y.T)
    ),
    "convolution": Operation(
        lambda ops, x, w: ops.conv2d(x, w, pad_mode="pad", padding=1), lambda torch, x, w: torch.nn.functional.conv2d(x, w, None, 1, 1),
        _convolved,
    ),
}  # fmt: skip
ROWS_GRADIENTS: Mapping[str, Operation] = {"softmax of rows gradient": _pulled(ROWS["softmax of rows"])}


def _our_loss(ops: Any, x: Any, labels: Any) -> Any:
    return ops.GradOperation()(lambda t: ops.cross_entropy(t, labels.astype("int32")))(x)


def _torch_loss(torch: Any, x: Any, labels: Any) -> Any:
    leaf = x.detach().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(torch.nn.functional.cross_entropy(leaf, labels), leaf)[0]


def _jax_loss(jnp: Any, x: Any, labels: Any) -> Any:
    def loss(t: Any) -> Any:
        return -jnp.take_along_axis(_jax().nn.log_softmax(t), labels[:, None], 1).mean()

    return _jax().grad(loss)(x)


def _norm_of(torch: Any, *tensors: Any) -> Any:
    return torch.nn.utils.get_total_norm(tensors)


def _our_norm(ops: Any, *tensors: Any) -> Any:
    total = ops.square(tensors[0].astype("float32")).sum()
    for each in tensors[1:]:
        total = total + ops.square(each.astype("float32")).sum()
    return ops.sqrt(total)


def _clipped_torch(torch: Any, *tensors: Any) -> Any:
    total = torch.nn.utils.get_total_norm(tensors)
    factor = torch.clamp(1.0 / (total + 1e-6), max=1.0)
    return torch._foreach_mul(tensors, factor)


def _clipped_jax(jnp: Any, *tensors: Any) -> Any:
    total = _jax_norm(jnp, *tensors)
    return [each * jnp.minimum(1.0, 1.0 / (total + 1e-6)).astype(each.dtype) for each in tensors]


def _jax_norm(jnp: Any, *tensors: Any) -> Any:
    return jnp.sqrt(sum(jnp.square(each.astype(jnp.float32)).sum() for each in tensors))


LOSSES: Mapping[str, Operation] = {
    "cross entropy gradient": Operation(_our_loss, _torch_loss, _jax_loss, operands=("normal", "label")),
    "global norm": Operation(_our_norm, _norm_of, _jax_norm),
    "clip by global norm": Operation(lambda ops, *x: ops.clip_by_global_norm(x, 1.0), _clipped_torch, _clipped_jax),
}


def _our_step(name: str, **options: Any) -> Function:
    """A step of an optimizer over as many parameters as gradients."""

    def made(ops: Any, *gradients: Any) -> Callable[[], object]:
        ms = importlib.import_module("mindspore")
        parameters = [ms.Parameter(ms.Tensor(each.asnumpy()), name=f"p{i}") for i, each in enumerate(gradients)]
        optimizer = getattr(ms.nn, name)(parameters, 1e-3, **options)

        def step(*given: Any) -> Any:
            return optimizer(given)

        run = ms.jit(step)
        return lambda: run(*gradients)

    return made


def _torch_step(name: str, **options: Any) -> Function:
    def made(torch: Any, *gradients: Any) -> Callable[[], object]:
        parameters = [torch.nn.Parameter(each.clone()) for each in gradients]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        step: Callable[[], object] = getattr(torch.optim, name)(parameters, 1e-3, fused=True, **options).step
        return step

    return made


OPTIMIZERS: Mapping[str, Operation] = {
    "SGD step": Operation(_our_step("SGD"), _torch_step("SGD"), made=True),
    "momentum step": Operation(_our_step("SGD", momentum=0.9), _torch_step("SGD", momentum=0.9), made=True),
    "Adam step": Operation(_our_step("Adam"), _torch_step("Adam"), made=True),
    "AdamW step": Operation(
        _our_step("AdamWeightDecay", weight_decay=0.01), _torch_step("AdamW", weight_decay=0.01), made=True
    ),
}

OPERATIONS: Mapping[str, Operation] = {
    **ACTIVATIONS, **GRADIENTS, **PLAIN, **ROWS, **ROWS_GRADIENTS, **LOSSES, **OPTIMIZERS,
}  # fmt: skip


def _activation() -> Iterator[Case]:
    for dtype in LOW:
        for name in ACTIVATIONS:
            yield Case("activation", name, ((MILLION,),), dtype=dtype)
    for dtype in ("float32", *LOW):
        for name in GRADIENTS:
            yield Case("activation", name, ((MILLION,),) * 2, dtype=dtype)


def _plain() -> Iterator[Case]:
    types = ("float32", "float16", "bfloat16", "int8")
    pairs = [(a, b) for a in types for b in types if a != b]
    pairs += [("float64", "float32"), ("float32", "float64"), ("int32", "float32"), ("float32", "int32"), ("int64", "float32"),
              ("int64", "int32"), ("uint8", "float32"), ("float32", "bool"), ("float32", "uint8")]  # fmt: skip
    for dtype, to in pairs:
        yield Case("plain", "convert", ((MILLION,),), {"to": to}, dtype)
    for name in ("plus", "times"):
        for mixed in (("bfloat16", "float32"), ("float16", "float32"), ("float32", "float64"), ("int32", "float32")):
            yield Case("plain", name, ((MILLION,),) * 2, {"dtypes": mixed})
        for dtype in (*LOW, "int8", "uint8", "int16", "complex64"):
            yield Case("plain", name, ((MILLION,),) * 2, dtype=dtype)
    for dtype in (*LOW, "complex64", "int32"):
        yield Case("plain", "over", ((MILLION,),) * 2, dtype=dtype)
    for dtype in ("int8", "int32", "int64"):
        for name in ("whole division", "modulo", "shift left", "shift right", "and"):
            yield Case("plain", name, ((MILLION,),) * 2, dtype=dtype)
    for dtype in (*LOW, "int8", "float64"):
        for name in ("above", "unequal"):
            yield Case("plain", name, ((MILLION,),) * 2, dtype=dtype)
    for dtype in (*LOW, "float32", "float64"):
        for name in ("is nan", "is finite", "all finite"):
            yield Case("plain", name, ((MILLION,),), dtype=dtype)
    for dtype in (*LOW, "int8", "complex64"):
        yield Case("plain", "size of", ((MILLION,),), dtype=dtype)


def _low() -> Iterator[Case]:
    for dtype in LOW:
        yield Case("low", "layer norm", ((2048, 1024), (1024,), (1024,)), dtype=dtype)
        yield Case("low", "softmax of rows", ((2048, 1024),), dtype=dtype)
        yield Case("low", "softmax of rows gradient", ((2048, 1024),) * 2, dtype=dtype)
        for name in ("sum along", "mean along", "max along", "argmax along"):
            for axis in (0, 1):
                yield Case("low", name, ((2048, 1024),), {"axis": axis}, dtype)
        yield Case("low", "sum along", ((2048, 1024),), {"axis": (0, 1)}, dtype)
        products: tuple[tuple[Shape, Shape], ...] = (
            ((64, 64), (64, 64)), ((512, 512), (512, 512)), ((1024, 1024), (1024, 1024)), ((128, 768), (768, 3072)),
            ((1, 768), (768, 3072)), ((12, 128, 64), (12, 64, 128)),
        )  # fmt: skip
        for shapes in products:
            yield Case("low", "product", shapes, dtype=dtype)
        for shapes in (((128, 768), (3072, 768)), ((1, 768), (3072, 768)), ((8, 768), (3072, 768))):
            yield Case("low", "product with transposed", shapes, dtype=dtype)
        for shapes in (
            ((8, 64, 56, 56), (64, 64, 3, 3)),
            ((8, 256, 14, 14), (256, 256, 3, 3)),
            ((1, 64, 56, 56), (64, 64, 3, 3)),
        ):
            yield Case("low", "convolution", shapes, dtype=dtype)


def _training() -> Iterator[Case]:
    for shape in ((1024, 50_000), (32, 1000)):
        for dtype in ("float32", "bfloat16"):
            yield Case("training", "cross entropy gradient", (shape, shape[:1]), {"below": shape[1]}, dtype)
    for dtype in ("float32", "bfloat16"):
        for shapes in (((MILLION,),) * 10, ((64, 64),) * 50):
            yield Case("training", "global norm", shapes, dtype=dtype)
            yield Case("training", "clip by global norm", shapes, dtype=dtype)
    for name in OPTIMIZERS:
        yield Case("training", name, ((1000, 1000),) * 25)
        yield Case("training", name, ((64, 64),) * 20)


TABLES: Mapping[str, Callable[[], Iterator[Case]]] = {
    "activation": _activation, "plain": _plain, "low": _low, "training": _training,
}  # fmt: skip
