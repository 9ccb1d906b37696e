"""Hooks of Cells: functions of the user around ``construct`` and around its gradient, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from mindspore.base.protocols import CALL_STYLE, RECOMPUTE, BackwardHooks
from mindspore.common.hook_handle import HookHandle, checked_hook

_styles = count()


class HookedCalls:
    """What `nn.Cell` knows about hooks. Compiled code calls the same methods."""

    construct: Callable[..., Any]
    bprop: Callable[..., Any]

    def _start_hooks(self) -> None:
        own = self.__dict__
        own["_recompute"] = False
        own["_pre_hooks"], own["_forward_hooks"], own["_backward_hooks"], own["_backward_pre_hooks"] = {}, {}, {}, {}
        own[CALL_STYLE] = next(_styles)

    def _restyled(self) -> None:
        """Calls mean something else from now on: compiled graphs that made others of them are not used again."""
        self.__dict__[CALL_STYLE] = next(_styles)

    def register_forward_pre_hook(
        self, hook_fn: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Has a function called before ``construct``.

        Args:
            hook_fn: ``(cell, inputs)``, with `with_kwargs` ``(cell, args, kwargs)``; returns None, or other inputs: a tuple, one
                value for a single input, or with `with_kwargs` a pair ``(args, kwargs)``.
            prepend: before the hooks that are there already.
            with_kwargs: whether it sees named arguments.

        Returns:
            A handle; ``handle.remove()`` takes the hook back.

        Raises:
            TypeError: `hook_fn` is not callable.
        """
        checked_hook(hook_fn)
        return HookHandle(self.__dict__["_pre_hooks"], (hook_fn, bool(with_kwargs)), prepend, self._restyled)

    def register_forward_hook(
        self,
        hook_fn: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> HookHandle:
        """Has a function called after ``construct``.

        Args:
            hook_fn: ``(cell, inputs, output)``, with `with_kwargs` ``(cell, args, kwargs, output)``; returns None or another output.
            prepend: before the hooks that are there already.
            with_kwargs: whether it sees named arguments.
            always_call: must be False: a call that raises has no output.

        Returns:
            A handle; ``handle.remove()`` takes the hook back.

        Raises:
            TypeError: `hook_fn` is not callable.
            ValueError: `always_call` is true.
        """
        checked_hook(hook_fn)
        if always_call:
            raise ValueError(
                "For 'register_forward_hook', 'always_call' must be False: a call that raises has no output."
            )
        return HookHandle(self.__dict__["_forward_hooks"], (hook_fn, bool(with_kwargs)), prepend, self._restyled)

    def register_backward_pre_hook(self, hook_fn: Callable[..., Any]) -> HookHandle:
        """Has a function called with the gradients of the outputs before those of the inputs are computed.

        Args:
            hook_fn: ``(cell, grad_output)`` with a tuple; returns None or other gradients.

        Returns:
            A handle; ``handle.remove()`` takes the hook back.

        Raises:
            TypeError: `hook_fn` is not callable.
        """
        checked_hook(hook_fn)
        return HookHandle(self.__dict__["_backward_pre_hooks"], hook_fn, changed=self._restyled)

    def register_backward_hook(self, hook_fn: Callable[..., Any]) -> HookHandle:
        """Has a function called when the gradients of the inputs are computed.

        Args:
            hook_fn: ``(cell, grad_input, grad_output)`` with tuples; returns None or other gradients of the inputs.

        Returns:
            A handle; ``handle.remove()`` takes the hook back.

        Raises:
            TypeError: `hook_fn` is not callable.
        """
        checked_hook(hook_fn)
        return HookHandle(self.__dict__["_backward_hooks"], hook_fn, changed=self._restyled)

    def __graph_function__(self) -> Any:
        own = self.__dict__
        return self._hooked_construct if own.get("_pre_hooks") or own.get("_forward_hooks") else self.construct

    def __graph_gradient__(self) -> Any:
        """How gradients pass through a call: through hooks, by the method ``bprop`` of the class, or by computing it again."""
        own = self.__dict__
        hooked = own.get("_backward_hooks") or own.get("_backward_pre_hooks")
        if hasattr(type(self), "bprop"):
            return self._hooked_bprop if hooked else self.bprop
        if hooked:
            return BackwardHooks(self._before_gradient, self._after_gradient)
        return RECOMPUTE if own.get("_recompute") else None

    def _hooked_construct(self, *args: Any, **kwargs: Any) -> Any:
        for hook, named in self._pre_hooks.values():  # type: ignore[attr-defined]
            result = hook(self, args, kwargs) if named else hook(self, args)
            if result is not None:
                if named:
                    args, kwargs = result
                else:
                    args = result if isinstance(result, tuple) else (result,)
        output = self.construct(*args, **kwargs)
        for hook, named in self._forward_hooks.values():  # type: ignore[attr-defined]
            result = hook(self, args, kwargs, output) if named else hook(self, args, output)
            if result is not None:
                output = result
        return output

    def _hooked_bprop(self, *args: Any) -> Any:
        several = isinstance(args[-1], tuple)
        cotangents = self._before_gradient(args[-1] if several else (args[-1],))
        gradients = self.bprop(*args[:-1], cotangents if several else cotangents[0])
        return self._after_gradient(gradients if isinstance(gradients, tuple) else (gradients,), cotangents)

    def _before_gradient(self, cotangents: Any) -> Any:
        for hook in self._backward_pre_hooks.values():  # type: ignore[attr-defined]
            result = hook(self, cotangents)
            if result is not None:
                cotangents = result if isinstance(result, tuple) else (result,)
        return cotangents

    def _after_gradient(self, gradients: Any, cotangents: Any) -> Any:
        for hook in self._backward_hooks.values():  # type: ignore[attr-defined]
            result = hook(self, gradients, cotangents)
            if result is not None:
                gradients = result if isinstance(result, tuple) else (result,)
        return gradients
