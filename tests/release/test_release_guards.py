"""What each phase allows, and the words of the refusals."""

from datetime import date

import pytest

from release.branches import Phase
from release.errors import UsageError
from release.guards import may_build, may_merge, may_publish, may_tag, may_tag_version
from release.lifecycle import BranchStatus, status_of
from release.model import Manifest

DAY = date(2026, 11, 22)
FINAL, EARLY = "2.0.0", "2.0.0rc1"


def on(phase: Phase) -> BranchStatus:
    return BranchStatus("r2.0", DAY, phase, DAY, None)


@pytest.mark.parametrize(
    ("phase", "merge", "build", "tag", "early", "final"),
    [
        (Phase.PLANNING, True, True, False, False, False),
        (Phase.DEVELOPMENT, True, True, True, True, False),
        (Phase.MAINTAINED, True, True, True, True, True),
        (Phase.UNMAINTAINED, True, True, False, False, False),
        (Phase.EOL, False, False, False, False, False),
        (Phase.CANCELLED, False, False, False, False, False),
    ],
)
def test_the_guards(phase: Phase, merge: bool, build: bool, tag: bool, early: bool, final: bool) -> None:
    state = on(phase)
    assert (bool(may_merge(state)), bool(may_build(state)), bool(may_tag(state))) == (merge, build, tag)
    assert (bool(may_publish(state, EARLY)), bool(may_publish(state, FINAL))) == (early, final)


def test_a_refusal_says_why(manifest: Manifest) -> None:
    ended = status_of(manifest, "r1.5", DAY)
    assert may_merge(ended).reason == "r1.5 is in EOL as of 2026-11-22: it takes no changes"
    assert may_publish(on(Phase.DEVELOPMENT), FINAL).reason.endswith("publishes pre-releases, and 2.0.0 is none")


def test_an_overdue_branch_publishes_nothing_even_when_acknowledged(manifest: Manifest) -> None:
    overdue = status_of(manifest, "r1.9", DAY)
    assert may_merge(overdue)
    verdict = may_publish(overdue, "1.9.1")
    assert not verdict
    assert verdict.reason == "r1.9 is overdue for Unmaintained since 2023-10-26: confirm its phase before publishing"


def test_a_version_is_tagged_on_its_branch(manifest: Manifest) -> None:
    assert may_tag_version(manifest, EARLY, DAY)
    assert not may_tag_version(manifest, FINAL, DAY)
    assert may_tag_version(manifest, "1.5.3", DAY).reason == "r1.5 is in EOL as of 2026-11-22: it takes no version tags"
    assert not may_tag_version(manifest, "1.9.1", DAY)
    with pytest.raises(UsageError, match=r"unknown branch 'r7\.1'"):
        may_tag_version(manifest, "7.1.0", DAY)
    with pytest.raises(UsageError, match="not a version: latest"):
        may_tag_version(manifest, "latest", DAY)
