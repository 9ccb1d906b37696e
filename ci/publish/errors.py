"""What publishing refuses or cannot do, each with exit code 1."""

from __future__ import annotations

from ci.errors import CheckError


class RefusedError(CheckError):
    """Publishing this would break what users rely on: a moved tag, a changed file, a release with holes."""


class LockedError(CheckError):
    """Another publisher is at work on the same target."""


class TargetError(CheckError):
    """A target cannot be reached, refuses us, or lost what it was given; running again goes on where this stopped."""
