"""What can go wrong while building, in the user's words: what, where, expected, got, what to do."""

from __future__ import annotations


class CiError(Exception):
    """Base of all errors that a task reports; `exit_code` is 1 for a failed check, 2 for wrong input or set-up."""

    exit_code = 2

    def __init__(self, problem: str, *, where: str = "", expected: str = "", got: str = "", fix: str = "") -> None:
        self.problem, self.where, self.expected, self.got, self.fix = problem, where, expected, got, fix
        super().__init__(self._text())

    def _text(self) -> str:
        details = (("where", self.where), ("expected", self.expected), ("got", self.got), ("to do", self.fix))
        return "\n".join([self.problem, *(f"  {name}: {value}" for name, value in details if value)])


class UsageError(CiError):
    """A command line that cannot be carried out: unknown target, row, kind."""


class MissingPartError(CiError):
    """A system part (Python headers, mmdebstrap, ...) that this machine lacks."""


class NoEngineError(CiError):
    """No container engine answers."""


class NoSpaceError(CiError):
    """The disk is too full for what was asked."""


class NoBaseError(CiError):
    """The base image can be neither pulled nor bootstrapped."""


class ProjectFileError(CiError):
    """A file of the project (lock, template, pyproject.toml) does not say what is needed."""


class CommandError(CiError):
    """A program that was started ended with an error."""

    exit_code = 1

    def __init__(self, argv: list[str], code: int, output: str, log: str = "") -> None:
        self.argv, self.code, self.output = argv, code, output
        tail = "\n".join(f"  | {line}" for line in output.splitlines()[-40:])
        super().__init__(f"{argv[0]} failed with exit code {code}\n{tail}", where=" ".join(argv), got=log)


class CheckError(CiError):
    """A check came out wrong: generated files drifted, an image is too big, a wheel is not portable."""

    exit_code = 1
