"""LLVM IR as text: typed values, functions, structured control flow.

A `Function` emits instructions in order. Integer ``+ - *`` on values are *index arithmetic* (signed, no overflow); data that may wrap
goes through ``f.op("add", a, b)``. Floating operators carry the ``contract`` flag and no other, so inf and NaN keep their meaning.
Python numbers stand for constants of the other operand's type.

    module = Module(isa("v3"))
    f = module.function("axpy", "void", [("ptr noalias", "x"), ("ptr noalias", "y"), ("i64", "n")])
    x, y, n = f.arguments
    with f.loop(0, n) as i:
        f.store(f.load("float", x.at("float", i)) * 2.0 + f.load("float", y.at("float", i)), y.at("float", i))
    f.ret()
    module.text()
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from mindspore.base.symbolic import Size
from mindspore.kernels.sizes import Dim, Term
from mindspore.kernels.target import Isa, Target

FLAGS = "contract"
"""Fast-math flags of floating operations; `Function.flags` changes them for one function (reductions that may be reordered)."""

NO_UNROLL = '!{!"llvm.loop.unroll.disable"}'
NO_VECTOR = '!{!"llvm.loop.vectorize.enable", i1 false}'
VECTORISE = '!{!"llvm.loop.vectorize.enable", i1 true}'
RARE = '!"branch_weights", i32 1, i32 2000'
SIZES = {"i1": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "half": 2, "bfloat": 2, "float": 4, "double": 8, "ptr": 8}
"""Bytes of the scalar types in memory."""


def element(type: str) -> str:
    """``<8 x float>`` -> ``float``; scalar types are their own."""
    return type[1:-1].split(" x ")[1] if type.startswith("<") else type


def lanes(type: str) -> int:
    """``<8 x float>`` -> 8; 0 for scalar types."""
    return int(type[1:].split(" x ")[0]) if type.startswith("<") else 0


def vector(count: int, type: str) -> str:
    return f"<{count} x {type}>"


def _plain(kind: str) -> str:
    """The type of a parameter that may have attributes: ``ptr noalias`` -> ``ptr``."""
    return kind[: kind.index(">") + 1] if kind.startswith("<") else kind.split()[0]


def is_float(type: str) -> bool:
    return element(type) in ("float", "double", "half", "bfloat")


def mangled(type: str) -> str:
    """The type as LLVM writes it inside intrinsic names: ``v8f32``."""
    short = {"float": "f32", "double": "f64", "half": "f16", "bfloat": "bf16", "ptr": "p0"}.get(
        element(type), element(type)
    )
    return f"v{lanes(type)}{short}" if lanes(type) else short


def literal(value: float | bool, type: str) -> str:
    """A Python number as an LLVM constant of `type` (splat for vectors)."""
    scalar = element(type)
    if scalar == "float":
        try:
            value = struct.unpack("f", struct.pack("f", value))[0]
        except OverflowError:
            value = float("inf") if value > 0 else float("-inf")
    if is_float(type):
        text = f"0x{struct.unpack('Q', struct.pack('d', float(value)))[0]:016X}"
    elif scalar == "i1":
        text = "true" if value else "false"
    else:
        text = str(int(value))
    return f"splat ({scalar} {text})" if lanes(type) else text


class Value:
    """A typed operand of one function: ``type`` as LLVM writes it and ``name`` (``%12``, ``@f`` or a constant)."""

    __slots__ = ("function", "name", "number", "type")

    def __init__(self, function: Function, type: str, name: str, number: int | None = None) -> None:
        self.function, self.type, self.name, self.number = function, type, name, number

    def __str__(self) -> str:
        return f"{self.type} {self.name}"

    def _with(self, other: Operand, integer: str, floating: str, reverse: bool = False) -> Value:
        pair = (self, self.function.value(other, self.type))
        left, right = pair[::-1] if reverse else pair
        return self.function.op(floating if is_float(self.type) else integer, left, right)

    def __add__(self, other: Operand) -> Value:
        return self._with(other, "add nsw", "fadd")

    __radd__ = __add__

    def __sub__(self, other: Operand) -> Value:
        return self._with(other, "sub nsw", "fsub")

    def __rsub__(self, other: Operand) -> Value:
        return self._with(other, "sub nsw", "fsub", reverse=True)

    def __mul__(self, other: Operand) -> Value:
        return self._with(other, "mul nsw", "fmul")

    __rmul__ = __mul__

    def __truediv__(self, other: Operand) -> Value:
        return self._with(other, "sdiv", "fdiv")

    def __rtruediv__(self, other: Operand) -> Value:
        return self._with(other, "sdiv", "fdiv", reverse=True)

    def __floordiv__(self, other: Operand) -> Value:
        return self._with(other, "sdiv", "fdiv")

    def __mod__(self, other: Operand) -> Value:
        return self._with(other, "srem", "frem")

    def __neg__(self) -> Value:
        return self.function.op("fneg", self) if is_float(self.type) else 0 - self

    def __and__(self, other: Operand) -> Value:
        return self.function.op("and", self, other)

    def __or__(self, other: Operand) -> Value:
        return self.function.op("or", self, other)

    def __xor__(self, other: Operand) -> Value:
        return self.function.op("xor", self, other)

    def __invert__(self) -> Value:
        return self.function.op("xor", self, -1 if self.type != "i1" else True)

    def __lt__(self, other: Operand) -> Value:
        return self.function.compare("lt", self, other)

    def __le__(self, other: Operand) -> Value:
        return self.function.compare("le", self, other)

    def __gt__(self, other: Operand) -> Value:
        return self.function.compare("gt", self, other)

    def __ge__(self, other: Operand) -> Value:
        return self.function.compare("ge", self, other)

    def eq(self, other: Operand) -> Value:
        return self.function.compare("eq", self, other)

    def ne(self, other: Operand) -> Value:
        return self.function.compare("ne", self, other)

    def at(self, type: str, index: Operand) -> Value:
        """Pointer arithmetic: the address of element `index` of an array of `type` at this pointer."""
        index = self.function.value(index, "i64")
        if index.number == 0:
            return self
        return self.function.emit("ptr", f"getelementptr inbounds {type}, {self}, {index}")

    def to(self, conversion: str, type: str) -> Value:
        """An LLVM conversion: ``x.to("fpext", "double")``; identity when the type is already right."""
        return self if self.type == type else self.function.emit(type, f"{conversion} {self} to {type}")


Operand = Value | int | float | Dim | Size


class Loop:
    """What `Function.loop` yields: ``index``, the ``carried`` values of this turn, and after the loop the ``results``."""

    __slots__ = ("carried", "index", "results", "updates")

    def __init__(self, index: Value, carried: list[Value]) -> None:
        self.index, self.carried, self.results = index, carried, carried
        self.updates: list[Value] | None = None

    def next(self, *values: Value) -> None:
        """The carried values of the following turn; called once at the end of the body of a loop that carries values."""
        self.updates = list(values)


_FOLD: dict[str, Callable[[int, int], int]] = {
    "add nsw": lambda a, b: a + b,
    "sub nsw": lambda a, b: a - b,
    "mul nsw": lambda a, b: a * b,
}
_INTEGER_COMPARE = {"lt": "slt", "le": "sle", "gt": "sgt", "ge": "sge", "eq": "eq", "ne": "ne"}
_FLOAT_COMPARE = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}


class Function:
    """A function being written. Instructions are appended at the end of the current block; allocas go to the entry block."""

    def __init__(self, module: Module, result: str, name: str, parameters: Sequence[tuple[str, str]]) -> None:
        self.module, self.flags, self.result, self.name = module, FLAGS, result, name
        self.linkage = self.attributes = ""
        self.parameters = [f"{kind} %{label}" for kind, label in parameters]
        self.arguments = [Value(self, _plain(kind), f"%{label}") for kind, label in parameters]
        self.sizes: dict[Term, Value] = {}
        """Sizes that callers hand over behind the arguments."""
        self.atoms: Callable[[], Value] | None = None
        """Gives the address of the values of a graph's symbolic sizes, in functions that can reach them."""
        self._entry: list[str] = []
        self._lines: list[str] = []
        self._count = 0

    def __getitem__(self, name: str) -> Value:
        """The argument called `name`."""
        return next(a for a in self.arguments if a.name == f"%{name}")

    def text(self) -> str:
        body = "\n  ".join(["entry:", *self._entry, "br label %start", "start:", *self._lines])
        listed = ", ".join([*self.parameters, *map(str, self.sizes.values())])
        return f"define {self.linkage}{self.result} @{self.name}({listed}) {self.attributes} {{\n{body}\n}}\n"

    def declaration(self, name: str) -> str:
        """What modules that call the function under `name` say of it."""
        types = [*(p.rsplit(" ", 1)[0] for p in self.parameters), *("i64" for _ in self.sizes)]
        return f"declare {self.result} @{name}({', '.join(types)})"

    def value(self, x: Operand, type: str) -> Value:
        """`x` as an operand: Python numbers become constants of `type`."""
        if isinstance(x, Value):
            return x
        if isinstance(x, Dim):
            return self.sizes.setdefault(x.term, Value(self, "i64", f"%size{len(self.sizes)}"))
        if isinstance(x, Size):
            return self._symbolic(x) if self.atoms and type == "i64" else self.value(int(x), type)
        whole = int(x) if isinstance(x, int) and not lanes(type) and not is_float(type) else None
        return Value(self, type, literal(x, type), whole)

    def _symbolic(self, size: Size) -> Value:
        """A polynomial over the graph's atoms."""
        assert self.atoms is not None
        table, total = self.atoms(), self.value(0, "i64")
        for monomial, count in size.terms.items():
            term = self.value(count, "i64")
            for atom, power in monomial:
                for _ in range(power):
                    term = term * self.load("i64", table.at("i64", atom))
            total = total + term
        return total

    def index(self, x: Operand) -> Value:
        """`x` as an i64."""
        return self.value(x, "i64")

    def fresh(self, prefix: str = "") -> str:
        self._count += 1
        return f"{prefix}.{self._count}"

    def line(self, text: str) -> None:
        """One instruction without a result."""
        self._lines.append(text)

    def emit(self, type: str, text: str) -> Value:
        """One instruction with a result of `type`."""
        result = Value(self, type, f"%{self.fresh('v')}")
        self._lines.append(f"{result.name} = {text}")
        return result

    def op(self, opcode: str, left: Value, right: Operand | None = None) -> Value:
        """Any one- or two-operand arithmetic instruction on operands of one type."""
        opcode = f"{opcode} {self.flags}" if opcode[0] == "f" and opcode != "freeze" else opcode
        if right is None:
            return self.emit(left.type, f"{opcode} {left}")
        right = self.value(right, left.type)
        if left.type != right.type:
            raise TypeError(f"{opcode} needs operands of one type, got {left.type} and {right.type}")
        return self._folded(opcode, left, right) or self.emit(left.type, f"{opcode} {left}, {right.name}")

    def _folded(self, opcode: str, left: Value, right: Value) -> Value | None:
        if opcode not in _FOLD:
            return None
        if left.number is not None and right.number is not None:
            return self.value(_FOLD[opcode](left.number, right.number), left.type)
        neutral = 1 if opcode == "mul nsw" else 0
        if right.number == neutral:
            return left
        return right if left.number == neutral and opcode != "sub nsw" else None

    def compare(self, relation: str, left: Value, right: Operand, *, unsigned: bool = False) -> Value:
        """``lt le gt ge eq ne``: ordered for floats (``ne`` is true for NaN), signed for integers unless `unsigned`."""
        right = self.value(right, left.type)
        result = vector(lanes(left.type), "i1") if lanes(left.type) else "i1"
        if is_float(left.type):
            return self.emit(result, f"fcmp {_FLOAT_COMPARE[relation]} {left}, {right.name}")
        predicate = _INTEGER_COMPARE[relation]
        if unsigned and relation not in ("eq", "ne"):
            predicate = "u" + predicate[1:]
        return self.emit(result, f"icmp {predicate} {left}, {right.name}")

    def select(self, condition: Value, yes: Operand, no: Operand) -> Value:
        like = yes if isinstance(yes, Value) else no
        assert isinstance(like, Value), "select needs at least one value"
        yes, no = self.value(yes, like.type), self.value(no, like.type)
        return self.emit(yes.type, f"select {condition}, {yes}, {no}")

    def minimum(self, a: Value, b: Operand) -> Value:
        """The smaller index; for data see `scalars`."""
        return self.select(a < b, a, b)

    def maximum(self, a: Value, b: Operand) -> Value:
        return self.select(a > b, a, b)

    def intrinsic(self, name: str, type: str, *arguments: Value, suffix: str | None = None) -> Value:
        """``llvm.<name>.<suffix>`` (by default the mangled result type) called with `arguments`."""
        full = f"llvm.{name}.{suffix or mangled(type)}"
        self.module.declare(full, f"declare {type} @{full}({', '.join(a.type for a in arguments)})")
        flags = f"{self.flags} " if is_float(type) and name != "masked.load" else ""
        return self.emit(type, f"call {flags}{type} @{full}({', '.join(map(str, arguments))})")

    def load(self, type: str, pointer: Value, align: int | None = None) -> Value:
        return self.emit(type, f"load {type}, {pointer}, align {align or SIZES[element(type)]}")

    def store(self, value: Value, pointer: Value, align: int | None = None, hint: str = "") -> None:
        self.line(f"store {value}, {pointer}, align {align or SIZES[element(value.type)]}{hint}")

    def alloca(self, type: str, count: int = 1, align: int = 64) -> Value:
        """`count` elements on the stack for as long as the function runs."""
        result = Value(self, "ptr", f"%{self.fresh('stack')}")
        self._entry.append(f"{result.name} = alloca {type}, i64 {int(count)}, align {align}")
        return result

    def prefetch(self, pointer: Value, write: bool = False, near: int = 3) -> None:
        self.module.declare("llvm.prefetch.p0", "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        self.line(f"call void @llvm.prefetch.p0({pointer}, i32 {int(write)}, i32 {near}, i32 1)")

    def call(self, result: str, callee: str | Value, *arguments: Operand) -> Value:
        """Call ``@name`` or a function pointer. Python integers are i64 arguments. A void call gives an unusable value."""
        listed = ", ".join(str(self.value(a, "i64")) for a in arguments)
        name = callee.name if isinstance(callee, Value) else f"@{callee}"
        if result == "void":
            self.line(f"call void {name}({listed})")
            return Value(self, "void", "")
        return self.emit(result, f"call {result} {name}({listed})")

    def ret(self, value: Value | None = None) -> None:
        self.line(f"ret {value}" if value is not None else "ret void")

    def label(self, name: str) -> None:
        """Fall through into a new block."""
        self.line(f"br label %{name}")
        self.line(f"{name}:")

    def branch(self, condition: Value, yes: str, no: str, rare: bool = False) -> None:
        """`rare`: the condition seldom holds, so that a jump costs less than to compute both sides."""
        weights = f", !prof !{self.module.metadata(RARE)}" if rare else ""
        self.line(f"br {condition}, label %{yes}, label %{no}{weights}")

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """The body runs if `condition`."""
        then, done = self.fresh("then"), self.fresh("done")
        self.branch(condition, then, done)
        self.line(f"{then}:")
        yield
        self.label(done)

    def choose(
        self, condition: Value, yes: Callable[[], Sequence[Value]], no: Callable[[], Sequence[Value]], rare: bool = False
    ) -> list[Value]:  # fmt: skip
        """If and else; each side gives values of the same types, and the results are the taken side's."""
        then, other, done = self.fresh("then"), self.fresh("else"), self.fresh("done")
        self.branch(condition, then, other, rare)
        ends, sides = [], []
        for label, side in ((then, yes), (other, no)):
            self.line(f"{label}:")
            sides.append(list(side()))
            ends.append(self.fresh("end"))
            self.label(ends[-1])
            self.line(f"br label %{done}")
        self.line(f"{done}:")
        return [
            self.emit(a.type, f"phi {a.type} [ {a.name}, %{ends[0]} ], [ {b.name}, %{ends[1]} ]")
            for a, b in zip(*sides, strict=True)
        ]

    @contextmanager
    def loop(
        self, start: Operand, stop: Operand, step: Operand = 1, carried: Sequence[Value] = (), hints: Sequence[str] = ()
    ) -> Iterator[Loop]:
        """``for index in range(start, stop, step)`` with values carried from turn to turn; `hints` are loop metadata."""
        start, stop = self.index(start), self.index(stop)
        before, head, body, latch, done = (self.fresh(n) for n in ("before", "head", "body", "latch", "after"))
        self.label(before)
        self.label(head)
        place = len(self._lines)
        index = Value(self, "i64", f"%{self.fresh('i')}")
        phis = [Value(self, c.type, f"%{self.fresh('p')}") for c in carried]
        self.branch(index < stop, body, done)
        self.line(f"{body}:")
        loop = Loop(index, phis)
        yield loop
        following = index + step
        self.label(latch)
        metadata = f", !llvm.loop !{self.module.loop_metadata(hints)}" if hints else ""
        self.line(f"br label %{head}{metadata}")
        self.line(f"{done}:")
        updates = loop.updates if loop.updates is not None else phis
        ends = zip([index, *phis], [start, *carried], [following, *updates], strict=True)
        self._lines[place:place] = [
            f"{phi.name} = phi {phi.type} [ {first.name}, %{before} ], [ {later.name}, %{latch} ]"
            for phi, first, later in ends
        ]


class Module:
    """Functions, constants and declarations of one object file for one target.

    With `hidden`, its functions can be linked but are not visible outside the library they end up in.
    """

    def __init__(self, target: Target, hidden: bool = False) -> None:
        self.target = target
        self._linkage = "hidden " if hidden else ""
        self._functions: dict[str, Function] = {}
        self._globals: dict[str, str] = {}
        self._declarations: dict[str, str] = {}
        self._metadata: list[str] = []
        self._kept: dict[str, None] = {}
        self._nodes: dict[str, int] = {}

    def function(
        self, name: str, result: str, parameters: Sequence[tuple[str, str]], *, internal: bool = False, inline: str = ""
    ) -> Function:
        """A new function. Parameters are (type with attributes, name); `inline` is ``""``, ``noinline`` or ``alwaysinline``."""
        made = Function(self, result, name, parameters)
        # without no-builtins LLVM would turn copying loops into calls of memcpy and memset
        made.linkage = "internal " if internal else self._linkage
        made.attributes = " ".join(filter(None, ("nounwind", inline, '"no-builtins"', *self.target.attributes)))
        self._functions[name] = made
        return made

    @property
    def isa(self) -> Isa:
        """The instruction-set level, for code that is written for the vector registers of a processor."""
        assert isinstance(self.target, Isa), f"this code is for processors, not for {self.target.name}"
        return self.target

    def has(self, name: str) -> bool:
        return name in self._functions

    def exported(self, name: str) -> Function:
        """Function `name`, made visible to other modules."""
        found = self._functions[name]
        found.linkage = self._linkage
        return found

    def keep(self, name: str) -> None:
        """Function `name` stays, though no instruction names it: an attribute does, which passes read."""
        self._kept[name] = None

    def declare(self, name: str, text: str) -> None:
        self._declarations[name] = text

    def define(self, name: str, text: str) -> str:
        """A global variable; returns its symbol (``@name``)."""
        self._globals[name] = f"@{name} = {text}"
        return f"@{name}"

    def array(self, name: str, type: str, values: Sequence[float]) -> str:
        """A private constant array; returns its symbol. The same name must always hold the same values."""
        listed = ", ".join(f"{type} {literal(v, type)}" for v in values)
        return self.define(name, f"private unnamed_addr constant [{len(values)} x {type}] [{listed}], align 64")

    def string(self, name: str, text: str) -> str:
        """A private zero-terminated string; returns its symbol."""
        data = text.encode() + b"\0"
        escaped = "".join(f"\\{byte:02X}" for byte in data)
        return self.define(name, f'private unnamed_addr constant [{len(data)} x i8] c"{escaped}"')

    def loop_metadata(self, hints: Sequence[str]) -> int:
        """A distinct loop node; returns its number."""
        number = len(self._metadata)
        self._metadata.append(f"!{number} = distinct !{{{', '.join([f'!{number}', *hints])}}}")
        return number

    def metadata(self, content: str) -> int:
        """The number of the node that holds `content`."""
        number = self._nodes.setdefault(content, len(self._metadata))
        if number == len(self._metadata):
            self._metadata.append(f"!{number} = !{{{content}}}")
        return number

    def text(self) -> str:
        listed = ", ".join(f"ptr @{name}" for name in self._kept)
        kept = f'@llvm.compiler.used = appending global [{len(self._kept)} x ptr] [{listed}], section "llvm.metadata"'
        parts = [*self._globals.values(), *self._declarations.values(), *map(Function.text, self._functions.values())]
        parts += self._metadata
        return "\n".join([*parts, kept] if self._kept else parts) + "\n"
