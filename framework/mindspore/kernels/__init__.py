"""Storey 4: graph -> loops -> LLVM. Importable without the native module; llvmlite is loaded on first compilation."""
