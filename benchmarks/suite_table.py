"""The suite's tasks, each with its group. The driver reads this table without importing the framework."""

from __future__ import annotations

from collections.abc import Mapping

TASKS: Mapping[str, str] = {
    "import": "start",
    "dispatch": "eager",
    "dispatch_matmul": "eager",
    "mlp_eager": "eager",
    "chain": "kernels",
    "matmul": "kernels",
    "softmax": "kernels",
    "layernorm": "kernels",
    "sum_columns": "kernels",
    "transpose": "kernels",
    "dense_backward": "layers",
    "conv_forward": "layers",
    "conv_backward": "layers",
    "encoder_forward": "layers",
    "encoder_backward": "layers",
    "mlp_graph": "models",
    "lenet": "models",
    "resnet50_infer_b1": "models",
    "resnet50_train_b8": "models",
    "compile_deep": "compile",
}
GROUPS = tuple(dict.fromkeys(TASKS.values()))
