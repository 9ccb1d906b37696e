"""Tasks of the group `ci`."""

from __future__ import annotations

from typing import Any

from ci.cli import JSON, command


@command(change="only what differs from this branch or commit", json=JSON)
def ci_matrix(_: Any, change: str | None = None, json: bool = False) -> None:
    """Print the jobs of images and wheels for a CI system, as include lists.

    Example: python3 tasks.py ci.matrix --json --change main
    """
    from ci import matrix_commands

    matrix_commands.show(json, change)


@command(shard="the job's name, from ci.matrix", change="do nothing unless this difference touches it", json=JSON)
def ci_shard(_: Any, shard: str, change: str | None = None, json: bool = False) -> None:
    """Do one job of the matrix: build the images on one base, or one wheel.

    Example: python3 tasks.py ci.shard debian12-x86_64
    """
    from ci import matrix_commands

    matrix_commands.run(shard, change, json)


@command()
def ci_render(_: Any) -> None:
    """Write the pipelines for GitHub Actions, GitLab CI and Jenkins.

    Example: python3 tasks.py ci.render
    """
    from ci import matrix_commands

    matrix_commands.render()
