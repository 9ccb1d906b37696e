"""Field types shared by the manifest's models, and `broken`, by which a model refuses a value that breaks a rule."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints
from pydantic_core import PydanticCustomError

Location = tuple[str | int, ...]  # where a value stands in the manifest, from the outermost key

# Days outside these are typing mistakes; within them adding months never leaves the calendar.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)

# Strict: TOML has dates and integers of its own, so a quoted one is a mistake.
Day = Annotated[date, Strict(), Field(ge=FIRST_DAY, le=LAST_DAY)]
Int = Annotated[int, Strict()]
Bool = Annotated[bool, Strict()]
Text = Annotated[str, StringConstraints(min_length=1)]
Reason = Annotated[str, StringConstraints(min_length=8)]
BranchName = Annotated[str, StringConstraints(pattern=r"^r\d+\.\d+$")]
PythonVersion = Annotated[str, StringConstraints(pattern=r"^3\.\d+$")]
Bytes = Annotated[int, Strict(), Field(gt=0)]


class Record(BaseModel):
    """A table of the manifest: immutable, and without keys that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def broken(at: Location, expected: str, got: object, fix: str) -> PydanticCustomError:
    """The refusal of the value at `at` (relative to the model that raises it)."""
    context: dict[str, Any] = {"at": at, "expected": expected, "got": str(got), "fix": fix}
    return PydanticCustomError("rule", "expected {expected}, got {got}", context)


def python_tag(version: str) -> str:
    """`py311` for `3.11`."""
    return "py" + version.replace(".", "")


def minor(name: str) -> tuple[int, int]:
    """The numbers of a branch (`r2.0`) or a version (`2.0.0rc1`): (2, 0)."""
    found = re.match(r"r?(\d+)\.(\d+)", name)
    if found is None:
        raise ValueError(f"{name!r} is neither a branch like r2.0 nor a version like 2.0.0")
    return int(found[1]), int(found[2])
