"""One framework of the sweep: started once, it answers one line of JSON for each line of JSON that it reads.

    python benchmarks/sweep_worker.py torch      # first says {"ready": "torch", "version": ...}

    {"do": "prepare", "case": {...}}  ->  {"first": s, "once": s, "peak_kib": n}  or  {"absent": "why"}
    {"do": "time", "calls": n}        ->  {"seconds": s per call}

It needs numpy and the framework, nothing else. What a framework answers for an operation is in the classes; all share the operands' values.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import sweep_operations
from memory import forget_peak, peak_kib
from sweep_shapes import Case, of_message

Call = Callable[[], object]
RESIDUAL = "residual"


class Framework(Protocol):
    """How one framework computes a case."""

    version: str

    def call(self, case: Case, operands: list[np.ndarray[Any, Any]]) -> Call:
        """A function without arguments that computes `case` and waits for the result. KeyError when there is no such operation."""
        ...


def operands(case: Case) -> list[np.ndarray[Any, Any]]:
    """Normally distributed values, the same for every framework; last the cotangent or the addend where the operation takes one."""
    if case.family in sweep_operations.TABLES:
        return sweep_operations.operands(case)
    draw = np.random.default_rng(7)
    shapes = [*case.shapes]
    if case.family == "conv":
        (n, _, h, w), (channels, _, kernel, _) = case.shapes
        stride, padding = case.options.get("stride", 1), case.options.get("padding", 0)
        reach = case.options.get("dilation", 1) * (kernel - 1) + 1
        height, width = ((size + 2 * padding - reach) // stride + 1 for size in (h, w))
        shapes.append((n, channels, height, width))
    elif case.family == "matmul":
        transposed = case.options.get("transposed", "nn")
        left, right = case.shapes
        m, n = left[-1 if transposed[0] == "t" else -2], right[-2 if transposed[1] == "t" else -1]
        shapes += [(n,), (*left[:-2], m, n)]
    elif case.family == "norm":
        shapes += [(case.shapes[0][1],)] * 2
    if case.operation.endswith("gradient"):
        shapes.append(case.shapes[0])
    return [draw.standard_normal(shape, dtype=np.float32) for shape in shapes]


def arguments(case: Case) -> dict[str, Any]:
    """The options that an operation gets by name."""
    return {name: value for name, value in case.options.items() if name not in ("below", "dtypes")}


def bound(function: Callable[..., Any] | None, module: Any, values: list[Any], case: Case) -> Call:
    """`function` of a framework's `module` on `values`. KeyError when the framework has none."""
    if function is None:
        raise KeyError(case.name)
    options = arguments(case)
    if sweep_operations.OPERATIONS[case.operation].made:
        made: Call = function(module, *values, **options)
        return made
    return lambda: function(module, *values, **options)


def keys_left_out(case: Case) -> np.ndarray[Any, Any]:
    """Which keys each query of an attention does not see: true for one in eight."""
    queries, keys = (shape[2] for shape in case.shapes[:2])
    found: np.ndarray[Any, Any] = np.random.default_rng(5).random((queries, keys)) < 1 / 8
    return found


def same(matrix: Any) -> Any:
    return matrix


def turned(matrix: Any) -> Any:
    """The transpose of each matrix of numpy, PyTorch and JAX."""
    return matrix.swapaxes(-1, -2)


class MindSpore:
    """This project, or the MindSpore of another Python: the program is the same."""

    def __init__(self, eager: bool, wait: bool) -> None:
        self.ms = importlib.import_module("mindspore")
        self.version = self.ms.__version__
        self.eager, self.wait = eager, wait
        self.ms.set_context(mode=self.ms.PYNATIVE_MODE if eager else self.ms.GRAPH_MODE)

    def call(self, case: Case, operands: list[np.ndarray[Any, Any]]) -> Call:
        general = case.family in sweep_operations.TABLES
        function, count = self.operation(case) if general else getattr(self, case.family)(case)
        tensors = [self.ms.Tensor(value) for value in operands[:count]]
        types = [getattr(self.ms, case.dtype_of(i)) for i in range(count)]
        tensors = [t.astype(d) if t.dtype == self.ms.float32 else t for t, d in zip(tensors, types, strict=True)]
        if general and sweep_operations.OPERATIONS[case.operation].made:
            made: Call = function(*tensors)
            return made
        run = function if self.eager else self.ms.jit(function)
        if not self.wait:
            return lambda: run(*tensors)

        def waiting() -> object:
            result = run(*tensors)
            return (result[0] if isinstance(result, (tuple, list)) else result).asnumpy()

        return waiting

    def _pulled(self, function: Callable[..., Any], which: tuple[int, ...]) -> Callable[..., Any]:
        gradient = self.ms.ops.GradOperation(get_all=True, sens_param=True)(function)
        return lambda *arguments: tuple(gradient(*arguments)[i] for i in which)

    def operation(self, case: Case) -> tuple[Callable[..., Any], int]:
        function, options = sweep_operations.OPERATIONS[case.operation].ours, arguments(case)
        return lambda *tensors: function(self.ms.ops, *tensors, **options), len(case.shapes)

    def matmul(self, case: Case) -> tuple[Callable[..., Any], int]:
        ops, epilogue = self.ms.ops, case.options.get("epilogue")
        product = self._product(case)
        if epilogue is None:
            return product, 2
        if epilogue == RESIDUAL:
            return lambda a, b, bias, other: product(a, b) + other, 4
        activation = {"bias_relu": ops.relu, "bias_gelu": ops.gelu}[epilogue]
        return lambda a, b, bias: activation(product(a, b) + bias), 3

    def _product(self, case: Case) -> Callable[..., Any]:
        transposed = case.options.get("transposed", "nn")
        flags = {"transpose_a": transposed[0] == "t", "transpose_b": transposed[1] == "t"}
        made = (self.ms.ops.MatMul if len(case.shapes[0]) == 2 else self.ms.ops.BatchMatMul)(**flags)
        return lambda a, b: made(a, b)

    def conv(self, case: Case) -> tuple[Callable[..., Any], int]:
        ops, options = self.ms.ops, dict(case.options)

        def forward(x: Any, w: Any) -> Any:
            return ops.conv2d(x, w, pad_mode="pad", **options)

        if case.operation == "forward":
            return forward, 2
        return self._pulled(forward, (("data", "weight").index(case.operation),)), 3

    def norm(self, case: Case) -> tuple[Callable[..., Any], int]:
        ops, shape = self.ms.ops, case.shapes[0]
        if case.operation.startswith("layer"):

            def forward(x: Any, weight: Any, bias: Any) -> Any:
                return ops.layer_norm(x, (shape[1],), weight, bias)
        else:
            mean, variance = (self.ms.Parameter(self.ms.ops.ones(shape[1])) for _ in range(2))
            training = "training" in case.operation

            def forward(x: Any, weight: Any, bias: Any) -> Any:
                return ops.batch_norm(x, mean, variance, weight, bias, training)

        return (self._pulled(forward, (0, 1, 2)), 4) if case.operation.endswith("gradient") else (forward, 3)

    def softmax(self, case: Case) -> tuple[Callable[..., Any], int]:
        ops, axis = self.ms.ops, case.options["axis"]
        if case.operation == "softmax_gradient":
            return self._pulled(lambda x: ops.softmax(x, axis), (0,)), 2
        function = getattr(ops, case.operation)
        return lambda x: function(x, axis), 1

    def reduction(self, case: Case) -> tuple[Callable[..., Any], int]:
        ops, axis = self.ms.ops, tuple(case.options["axis"])
        function = getattr(ops, {"max": "amax"}.get(case.operation, case.operation))
        return lambda x: function(x, axis[0] if len(axis) == 1 else axis), 1

    def attention(self, case: Case) -> tuple[Callable[..., Any], int]:
        ops, options, shape = self.ms.ops, case.options, case.shapes[0]
        inside = "heads" in options
        given = {
            "head_num": shape[2 if inside else 1],
            "scalar_value": shape[3] ** -0.5,
            "input_layout": "BSND" if inside else "BNSD",
            "sparse_mode": 2 if "causal" in options else 0,
            "keep_prob": 1 - options.get("drop", 0.0),
        }
        mask = self.ms.Tensor(keys_left_out(case)) if "mask" in options else None

        def forward(query: Any, key: Any, value: Any) -> Any:
            return ops.flash_attention_score(query, key, value, attn_mask=mask, **given)

        return (self._pulled(forward, (0, 1, 2)), 4) if case.operation.endswith("gradient") else (forward, 3)


class Torch:
    """PyTorch without its compiler, images as NCHW or with channels last."""

    def __init__(self, channels_last: bool) -> None:
        self.torch = importlib.import_module("torch")
        self.version = self.torch.__version__
        self.channels_last = channels_last
        self.torch.set_num_threads(len(os.sched_getaffinity(0)))
        self.torch.set_grad_enabled(False)

    def call(self, case: Case, operands: list[np.ndarray[Any, Any]]) -> Call:
        torch = self.torch
        if self.channels_last and not (case.family in ("conv", "norm") and len(case.shapes[0]) == 4):
            raise KeyError("the same as torch")
        tensors = [torch.from_numpy(value) for value in operands]
        types = [getattr(torch, case.dtype_of(i)) for i in range(len(tensors))]
        tensors = [t.to(d) if t.dtype == torch.float32 else t for t, d in zip(tensors, types, strict=True)]
        if self.channels_last:
            tensors = [t.contiguous(memory_format=torch.channels_last) if t.ndim == 4 else t for t in tensors]
        if case.family in sweep_operations.TABLES:
            return bound(sweep_operations.OPERATIONS[case.operation].torch, torch, tensors, case)
        function: Callable[..., Any] = getattr(self, case.family)(case)
        if case.operation.endswith("gradient"):
            return self._pulled(function, tensors)
        return lambda: function(*tensors)

    def _pulled(self, function: Callable[..., Any], tensors: list[Any]) -> Call:
        leaves = [tensor.requires_grad_() for tensor in tensors[:-1]]

        def run() -> object:
            with self.torch.enable_grad():
                return self.torch.autograd.grad(function(*leaves), leaves, tensors[-1])

        return run

    def matmul(self, case: Case) -> Callable[..., Any]:
        torch, transposed = self.torch, case.options.get("transposed", "nn")
        left, right = (turned if letter == "t" else same for letter in transposed)
        epilogue = case.options.get("epilogue")
        if epilogue is None:
            return lambda a, b, bias, other: left(a) @ right(b)
        if epilogue == RESIDUAL:
            return lambda a, b, bias, other: torch.addmm(other, left(a), right(b))
        activation = {"bias_relu": torch.relu, "bias_gelu": torch.nn.functional.gelu}[epilogue]
        return lambda a, b, bias, other: activation(torch.addmm(bias, left(a), right(b)))

    def conv(self, case: Case) -> Callable[..., Any]:
        torch, options = self.torch, case.options
        numbers = [[options.get(name, usual)] * 2 for name, usual in (("stride", 1), ("padding", 0), ("dilation", 1))]
        groups = options.get("groups", 1)
        if case.operation == "forward":
            return lambda x, w, d: torch.nn.functional.conv2d(x, w, None, *numbers, groups)
        wanted = [case.operation == "data", case.operation == "weight", False]
        backward = torch.ops.aten.convolution_backward
        return lambda x, w, d: backward(d, x, w, None, *numbers, False, [0, 0], groups, wanted)

    def norm(self, case: Case) -> Callable[..., Any]:
        functional, shape = self.torch.nn.functional, case.shapes[0]
        if case.operation.startswith("layer"):
            return lambda x, weight, bias: functional.layer_norm(x, (shape[1],), weight, bias)
        mean, variance = self.torch.ones(shape[1]), self.torch.ones(shape[1])
        training = "training" in case.operation
        return lambda x, weight, bias: functional.batch_norm(x, mean, variance, weight, bias, training)

    def softmax(self, case: Case) -> Callable[..., Any]:
        function = getattr(self.torch, case.operation.removesuffix("_gradient"))
        return lambda x: function(x, case.options["axis"])

    def reduction(self, case: Case) -> Callable[..., Any]:
        function = getattr(self.torch, {"max": "amax"}.get(case.operation, case.operation))
        axis = case.options["axis"]
        return lambda x: function(x, axis[0] if len(axis) == 1 else axis)

    def attention(self, case: Case) -> Callable[..., Any]:
        torch, options = self.torch, case.options
        mask = torch.from_numpy(~keys_left_out(case)) if "mask" in options else None
        apply = torch.nn.functional.scaled_dot_product_attention

        def forward(*operands: Any) -> Any:
            inside = "heads" in options
            query, key, value = (x.transpose(1, 2) if inside else x for x in operands[:3])
            found = apply(query, key, value, mask, options.get("drop", 0.0), "causal" in options)
            return found.transpose(1, 2).contiguous() if inside else found

        return forward


class Jax:
    """JAX, compiled."""

    def __init__(self) -> None:
        self.jax = importlib.import_module("jax")
        self.jnp = importlib.import_module("jax.numpy")
        self.version = self.jax.__version__

    def call(self, case: Case, operands: list[np.ndarray[Any, Any]]) -> Call:
        function: Callable[..., Any] = self._operation(case)
        if case.operation.endswith("gradient") and case.family not in sweep_operations.TABLES:
            function = self._pulled(function)
        run = self.jax.jit(function, keep_unused=False)
        arrays = [
            self.jnp.asarray(v, getattr(self.jnp, case.dtype_of(i)) if v.dtype == np.float32 else v.dtype)
            for i, v in enumerate(operands)
        ]
        return lambda: self.jax.block_until_ready(run(*arrays))

    def _operation(self, case: Case) -> Callable[..., Any]:
        if case.family not in sweep_operations.TABLES:
            function: Callable[..., Any] = getattr(self, case.family)(case)
            return function
        found, options = sweep_operations.OPERATIONS[case.operation].jax, arguments(case)
        if found is None or {"int64", "float64"} & {case.dtype, *case.options.get("dtypes", ())}:
            raise KeyError(case.name)
        return lambda *arrays: found(self.jnp, *arrays, **options)

    def _pulled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments: self.jax.vjp(function, *arguments[:-1])[1](arguments[-1])

    def matmul(self, case: Case) -> Callable[..., Any]:
        transposed, epilogue = case.options.get("transposed", "nn"), case.options.get("epilogue")
        left, right = (turned if letter == "t" else same for letter in transposed)
        activation = {"bias_relu": self.jax.nn.relu, "bias_gelu": lambda x: self.jax.nn.gelu(x, approximate=False)}

        def run(a: Any, b: Any, bias: Any, other: Any) -> Any:
            found = left(a) @ right(b)
            if epilogue is None:
                return found
            return found + other if epilogue == RESIDUAL else activation[epilogue](found + bias)

        return run

    def conv(self, case: Case) -> Callable[..., Any]:
        options = case.options

        def forward(x: Any, w: Any) -> Any:
            return self.jax.lax.conv_general_dilated(
                x,
                w,
                [options.get("stride", 1)] * 2,
                [(options.get("padding", 0),) * 2] * 2,
                rhs_dilation=[options.get("dilation", 1)] * 2,
                feature_group_count=options.get("groups", 1),
            )

        if case.operation == "forward":
            return lambda x, w, d: forward(x, w)
        which = ("data", "weight").index(case.operation)
        return lambda x, w, d: self.jax.vjp(forward, x, w)[1](d)[which]

    def norm(self, case: Case) -> Callable[..., Any]:
        jnp = self.jnp
        layer = case.operation.startswith("layer")
        axes = (1,) if layer else tuple(i for i in range(len(case.shapes[0])) if i != 1)

        def run(x: Any, weight: Any, bias: Any) -> Any:
            along = (-1,) if layer else (-1, *[1] * (len(case.shapes[0]) - 2))
            if "inference" in case.operation:
                return x * (weight.reshape(along) * (1 + 1e-5) ** -0.5) + (bias - weight).reshape(along)
            mean, variance = x.mean(axes, keepdims=True), jnp.var(x, axes, keepdims=True)
            scale = (-1,) if layer else along
            return (x - mean) * self.jax.lax.rsqrt(variance + 1e-5) * weight.reshape(scale) + bias.reshape(scale)

        return run

    def softmax(self, case: Case) -> Callable[..., Any]:
        function = getattr(self.jax.nn, case.operation.removesuffix("_gradient"))
        return lambda x: function(x, case.options["axis"])

    def reduction(self, case: Case) -> Callable[..., Any]:
        function = getattr(self.jnp, case.operation)
        axis = case.options["axis"]
        return lambda x: function(x, axis[0] if len(axis) == 1 else tuple(axis))

    def attention(self, case: Case) -> Callable[..., Any]:
        jnp, options, inside = self.jnp, case.options, "heads" in case.options
        if "drop" in options:
            raise KeyError(case.name)
        hidden = keys_left_out(case) if "mask" in options else None
        if "causal" in options:
            hidden = ~np.tri(case.shapes[0][2], case.shapes[1][2], dtype=bool)

        def forward(query: Any, key: Any, value: Any) -> Any:
            q, k, v = (x.swapaxes(1, 2) if inside else x for x in (query, key, value))
            scores = q @ k.swapaxes(-1, -2) * q.shape[-1] ** -0.5
            scores = scores if hidden is None else jnp.where(hidden, -jnp.inf, scores)
            found = self.jax.nn.softmax(scores, -1) @ v
            return found.swapaxes(1, 2) if inside else found

        return forward


class NumPy:
    """Products and reductions by numpy, which uses OpenBLAS."""

    version = np.__version__

    def call(self, case: Case, operands: list[np.ndarray[Any, Any]]) -> Call:
        if case.family in sweep_operations.TABLES:
            if {"float16", "bfloat16"} & {case.dtype, *case.options.get("dtypes", ())}:
                raise KeyError(case.name)
            values = [v.astype(case.dtype_of(i)) if v.dtype == np.float32 else v for i, v in enumerate(operands)]
            return bound(sweep_operations.OPERATIONS[case.operation].numpy, np, values, case)
        function = {"matmul": self._matmul, "reduction": self._reduction}[case.family](case)
        if case.dtype != "float32" or "epilogue" in case.options:
            raise KeyError(case.name)
        return lambda: function(*operands)

    def _matmul(self, case: Case) -> Callable[..., Any]:
        left, right = (turned if letter == "t" else same for letter in case.options.get("transposed", "nn"))
        return lambda a, b, bias, other: np.matmul(left(a), right(b))

    def _reduction(self, case: Case) -> Callable[..., Any]:
        function, axis = getattr(np, case.operation), case.options["axis"]
        return lambda x: function(x, axis=axis[0] if len(axis) == 1 else tuple(axis))


FRAMEWORKS: Mapping[str, Callable[[], Framework]] = {
    "ours": lambda: MindSpore(eager=False, wait=False),
    "ours_eager": lambda: MindSpore(eager=True, wait=False),
    "mindspore": lambda: MindSpore(eager=False, wait=True),
    "torch": lambda: Torch(channels_last=False),
    "torch_cl": lambda: Torch(channels_last=True),
    "jax": Jax,
    "numpy": NumPy,
}


def prepare(framework: Framework, case: Case) -> tuple[Call | None, dict[str, Any]]:
    """The call, and what it took: memory beyond what was resident with the operands, the first call, and the third."""
    try:
        run = framework.call(case, operands(case))
        forget_peak()
        before, seconds = peak_kib(), []
        for _ in range(3):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
    except Exception as error:
        # A framework that lacks the operation, or fails on it, says so in the table; the others go on.
        return None, {"absent": f"{type(error).__name__}: {str(error)[:200]}"}
    return run, {"first": seconds[0], "once": seconds[-1], "peak_kib": peak_kib() - before}


def sample(run: Call, calls: int) -> float:
    """Seconds per call."""
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def main() -> int:
    framework = FRAMEWORKS[sys.argv[1]]()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the framework prints is no answer
    print(json.dumps({"ready": sys.argv[1], "version": framework.version}), file=answers, flush=True)
    run: Call | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "prepare":
            run, answer = prepare(framework, of_message(request["case"]))
        else:
            assert run is not None, "time was asked for before a case was prepared"
            answer = {"seconds": sample(run, request["calls"])}
        print(json.dumps(answer), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
