"""The global seed, and the random numbers that initialise parameters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


class _State:
    """The seed that was set (None before) and the generator that it feeds."""

    __slots__ = ("followers", "generator", "seed")

    def __init__(self) -> None:
        self.seed: int | None = None
        self.generator: np.random.Generator | None = None
        self.followers: list[Callable[[int], None]] = []


_state = _State()


def set_seed(seed: int) -> None:
    """Seeds parameter initialisation, random operators and numpy's global generator, so that a script gives the same numbers in each run.

    Raises:
        TypeError: `seed` is not an int.
        ValueError: `seed` is negative.

    Examples:
        >>> import mindspore as ms
        >>> ms.set_seed(1)
        >>> ms.get_seed()
        1
    """
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise TypeError(f"The argument 'seed' must be type of int, but got {type(seed)}.")
    if seed < 0:
        raise ValueError(f"For 'global_seed', the 'seed' must be int and must >= 0, but got '{seed}' with type 'int'.")
    np.random.seed(seed % 2**32)
    _state.seed = seed
    _state.generator = np.random.default_rng(seed)
    for follower in _state.followers:
        follower(seed)


def on_seed(follower: Callable[[int], None]) -> Callable[[int], None]:
    """Calls `follower` with each seed that is set; a decorator."""
    _state.followers.append(follower)
    return follower


def get_seed() -> int | None:
    """The seed given to `set_seed`; None when it was never called."""
    return _state.seed


def generator() -> np.random.Generator:
    """Where parameter initialisation draws from; seeded by the system until `set_seed` is called."""
    if _state.generator is None:
        _state.generator = np.random.default_rng()
    return _state.generator
