"""Objects of ``ops.operations`` that stand for a function rather than one operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar


class FunctionObject:
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
