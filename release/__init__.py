"""What is released, from which branch, for which systems: the manifest and everything derived from it."""
