"""Nests and matrix products as kernels for GPUs: the same data that processors' loops are made from, spread over threads."""
