"""The tasks, one module for each family: names, options and help; what they do stands in the `*_commands` modules."""
