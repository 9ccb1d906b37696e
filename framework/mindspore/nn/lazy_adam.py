"""Adam for tables of which a step takes a few rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mindspore.nn.adam import Adam

__all__ = ["LazyAdam"]


class LazyAdam(Adam):
    """`Adam` that leaves rows alone which a gradient does not name: they, and their means, are neither read nor written.

    A gradient names rows where the table was read by `nn.EmbeddingLookup` or ``ops.SparseGatherV2``; with other gradients this is `Adam`.
    Rows that are named more than once get the sum of their gradients. Weight decay is added for each time that a row is named.

    Args:
        params: the Parameters to train, or groups of them: see `Optimizer`.
        learning_rate: see `Optimizer`.
        beta1, beta2: rates of the moving means, between 0 and 1.
        eps: added to the root, above 0.
        use_locking: accepted; updates are never shared between threads.
        use_nesterov: look one step ahead.
        weight_decay, loss_scale: see `Optimizer`.

    Raises:
        TypeError: an argument of another type.
        ValueError: a rate that is not between 0 and 1, `eps` that is not above 0.

    Examples:
        >>> from mindspore import Tensor, nn
        >>> net = nn.EmbeddingLookup(3, 1, param_init="ones")
        >>> step = nn.TrainOneStepCell(net, nn.LazyAdam(net.trainable_params(), learning_rate=0.25))
        >>> _ = step(Tensor([2, 2]))
        >>> print(net.embedding_table.asnumpy().ravel())
        [1.   1.   0.75]
    """

    def __init__(
        self,
        params: Iterable[Any],
        learning_rate: Any = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        use_locking: bool = False,
        use_nesterov: bool = False,
        weight_decay: float = 0.0,
        loss_scale: float = 1.0,
    ) -> None:
        super().__init__(
            params, learning_rate, beta1, beta2, eps, use_locking, use_nesterov, weight_decay, loss_scale, use_lazy=True
        )
