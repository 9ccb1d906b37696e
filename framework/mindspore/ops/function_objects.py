"""Objects of ``ops.operations`` that stand for a function rather than one operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from mindspore.common.checks import boolean


class Annotated:
    """An operator object that carries notes: names and values that say something about it to whoever reads them."""

    __slots__ = ("_notes",)

    def add_prim_attr(self, name: str, value: Any) -> Any:
        """Notes `value` under `name`; gives the object itself."""
        self._notes = {**self._noted(), name: value}
        return self

    def del_prim_attr(self, name: str) -> Any:
        """Forgets what was noted under `name`; gives the object itself."""
        self._notes = {n: v for n, v in self._noted().items() if n != name}
        return self

    def init_prim_io_names(self, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Notes the names of inputs and results."""
        self.add_prim_attr("input_names", list(inputs))
        self.add_prim_attr("output_names", list(outputs))

    def set_prim_instance_name(self, name: str) -> Any:
        """Notes a name of this object, as ``instance_name``; gives the object itself."""
        return self.add_prim_attr("instance_name", name)

    @property
    def instance_name(self) -> str:
        """The name of this object, of the operator when it has none of its own."""
        return str(self._noted().get("instance_name") or getattr(self, "name", type(self).__name__))

    @property
    def attrs(self) -> dict[str, Any]:
        """What was noted."""
        return dict(self._noted())

    def _noted(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = getattr(self, "_notes", {})
        return found


class FunctionObject(Annotated):
    """Base of these objects."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Name of the class."""
        return type(self).__name__

    def __made_in_graph__(self) -> None:
        """Nothing speaks against it: these objects hold constants only."""

    def __repr__(self) -> str:
        return f"Prim[{type(self).__name__}]"


class Composed(FunctionObject):
    """A function of inputs that come with the call and, by name, of attributes that the object was made with.

    Attributes:
        function: the function.
        attributes: names and defaults in order; `REQUIRED` where there is none.
    """

    __slots__ = ("given",)
    function: ClassVar[Callable[..., Any]]
    attributes: ClassVar[Sequence[tuple[str, Any]]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        names = [name for name, _ in self.attributes]
        given = {**dict(self.attributes), **dict(zip(names, args, strict=False)), **kwargs}
        unknown = [name for name in given if name not in names]
        missing = [name for name in names if given[name] is REQUIRED]
        if unknown or missing or len(args) > len(names):
            problem = (
                f"has no attribute {unknown[0]!r}"
                if unknown
                else f"needs {missing[0]!r}"
                if missing
                else "got too many arguments"
            )
            raise TypeError(f"{self.name} {problem}; it takes {', '.join(names) or 'none'}.")
        for name, default in self.attributes:
            if isinstance(default, bool):
                boolean(self.name, name, given[name])
        self.given: dict[str, Any] = given

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        return self.function(*inputs, **named, **self.given)


REQUIRED = object()


def composed(
    name: str, function: Callable[..., Any], attributes: Sequence[tuple[str, Any]] = (), doc: str | None = None
) -> type[Composed]:
    """The class ``Name(*attributes)(*inputs)``."""
    body = {
        "__slots__": (),
        "__doc__": doc or function.__doc__,
        "__module__": "mindspore.ops.operations",
        "function": staticmethod(function),
        "attributes": tuple(attributes),
    }
    return type(name, (Composed,), body)
