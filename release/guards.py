"""What a branch's phase allows. A guard answers with a Verdict, which is false when it refuses and says why."""

from dataclasses import dataclass
from datetime import date

from packaging.version import InvalidVersion
from packaging.version import Version as Pep440

from release.branches import Phase
from release.errors import UsageError
from release.lifecycle import BranchStatus, status_of
from release.model import Manifest

P = Phase
MERGES = {P.PLANNING, P.DEVELOPMENT, P.MAINTAINED, P.UNMAINTAINED}
BUILDS = MERGES
TAGS = {P.DEVELOPMENT, P.MAINTAINED}


@dataclass(frozen=True)
class Verdict:
    """Allowed or not, and the reason."""

    allowed: bool
    reason: str

    def __bool__(self) -> bool:
        return self.allowed


def _by_phase(state: BranchStatus, what: str, phases: set[Phase]) -> Verdict:
    allowed = state.phase in phases
    verb = "takes" if allowed else "takes no"
    return Verdict(allowed, f"{state.name} is in {state.phase} as of {state.as_of}: it {verb} {what}")


def may_merge(state: BranchStatus) -> Verdict:
    """Changes come in until the end of life."""
    return _by_phase(state, "changes", MERGES)


def may_build(state: BranchStatus) -> Verdict:
    """Packages and images are built until the end of life."""
    return _by_phase(state, "builds", BUILDS)


def may_tag(state: BranchStatus) -> Verdict:
    """Version tags belong to branches that still publish."""
    return _by_phase(state, "version tags", TAGS)


def parse_version(text: str) -> Pep440:
    """The version that a person wrote; UsageError if it is none."""
    try:
        return Pep440(text)
    except InvalidVersion:
        raise UsageError(f"not a version: {text}\n  expected: a version such as 2.0.0rc1") from None


def branch_of(version: str) -> str:
    """The branch that a version belongs to: `r2.0` for `2.0.0rc1`."""
    number = parse_version(version)
    return f"r{number.major}.{number.minor}"


def may_tag_version(manifest: Manifest, version: str, as_of: date) -> Verdict:
    """Whether `version` (`2.0.0rc1`) may be tagged: its branch tags, and publishes versions of its kind."""
    state = status_of(manifest, branch_of(version), as_of)
    verdict = may_tag(state)
    return may_publish(state, version) if verdict else verdict


def may_publish(state: BranchStatus, version: str) -> Verdict:
    """Maintained publishes, Development only pre-releases; an overdue branch nothing until its phase is confirmed."""
    if state.overdue_since:
        due = f"{state.next_phase} since {state.overdue_since}"
        return Verdict(False, f"{state.name} is overdue for {due}: confirm its phase before publishing")
    if state.phase == P.DEVELOPMENT and not parse_version(version).is_prerelease:
        return Verdict(False, f"{state.name} is in Development: it publishes pre-releases, and {version} is none")
    return _by_phase(state, "publications", TAGS)
