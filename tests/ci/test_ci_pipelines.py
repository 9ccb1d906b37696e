"""The rendered pipelines: valid for their systems, scripts that shells can read, and tasks that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from invoke.parser.context import ParserContext
from ruamel.yaml import YAML

from ci import git, matrix_commands, pipelines
from ci.errors import ProjectFileError, UsageError
from ci.paths import ROOT
from release.errors import UsageError as UnknownName
from release.model import Manifest
from release.shards import image_shards, wheel_shards

GITHUB, GITLAB, JENKINS = pipelines.PLACES.values()
SCHEMAS = {
    GITHUB: ["--builtin-schema", "vendor.github-workflows"],
    GITLAB: ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
}


def validate(kind: Path, file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", *SCHEMAS[kind], str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", SCHEMAS, ids=str)
def test_the_published_schema_accepts_the_pipeline(kind: Path) -> None:
    done = validate(kind, ROOT / kind)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("kind", "old", "new"), [(GITHUB, "runs-on:", "run-on:"), (GITLAB, "script:", "scripts:")], ids=str
)
def test_the_schema_would_notice_a_mistake(kind: Path, old: str, new: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text((ROOT / kind).read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert validate(kind, broken).returncode == 1


def scripts(value: Any) -> Iterator[str]:
    """Every shell script of a pipeline."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "run" and isinstance(inner, str):
                yield inner
            elif key == "script" and isinstance(inner, list):
                yield from inner
            else:
                yield from scripts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scripts(inner)


def parsed(place: Path) -> Any:
    return YAML(typ="safe").load((ROOT / place).read_text(encoding="utf-8"))


def of(place: Path) -> list[str]:
    text = (ROOT / place).read_text(encoding="utf-8")
    if place == JENKINS:
        return [one or many for many, one in re.findall(r"sh '''(.*?)'''|sh(?:\(script:)? ['\"](.+?)['\"]", text, re.S)]
    return list(scripts(parsed(place)))


@pytest.mark.parametrize("place", [GITHUB, GITLAB, JENKINS], ids=str)
def test_scripts_are_shell(place: Path) -> None:
    found = of(place)
    assert len(found) >= 4
    for script in found:
        bare = re.sub(r"\$\{\{.*?\}\}", "x", script)
        done = subprocess.run(["bash", "-n"], input=bare, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{script}\n{done.stderr}"


@pytest.mark.parametrize("place", [GITHUB, GITLAB, JENKINS], ids=str)
def test_jobs_call_tasks_that_exist_with_options_that_they_have(place: Path) -> None:
    from tasks import namespace

    text = (ROOT / place).read_text(encoding="utf-8")
    calls = re.findall(r"tasks\.py (?:setup )?([a-z]+(?:\.[a-z]+)?)([^\n]*)", text)
    assert {name for name, _ in calls} >= {"generate", "branch.check", "test", "ci.shard"}
    for name, rest in calls:
        context = ParserContext(args=namespace[name].get_arguments())
        known = {*context.flags, *context.inverse_flags}
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in known, f"{name} has no {option}"


def test_gitlab_names_every_shard_once(manifest: Manifest) -> None:
    jobs = parsed(GITLAB)
    named = [
        entry["SHARD"] for job in ("images", "wheels", "untested wheels") for entry in jobs[job]["parallel"]["matrix"]
    ]
    shards = [shard.shard for shard in image_shards(manifest.image_rows())]
    shards += [shard.shard for shard in wheel_shards(manifest.wheel_rows())]
    assert sorted(named) == sorted(shards)


def test_jenkins_is_the_golden_file(manifest: Manifest) -> None:
    text = pipelines.outputs(manifest)[JENKINS]
    golden = Path(__file__).with_name("golden.Jenkinsfile").read_text(encoding="utf-8")
    assert text == golden, "look at the difference, then copy ci/Jenkinsfile to tests/ci/golden.Jenkinsfile"
    for opening, closing in ("{}", "[]"):
        assert text.count(opening) == text.count(closing)


def test_a_pipelines_template_that_is_broken_is_named(manifest: Manifest, tmp_path: Path) -> None:
    for name in pipelines.PLACES:
        path = tmp_path / pipelines.TEMPLATES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("first\n[[ nothing ]]\n", encoding="utf-8")
    with pytest.raises(ProjectFileError, match="nothing"):
        pipelines.outputs(manifest, tmp_path)


def test_a_shard_that_is_unknown_or_a_base_that_git_does_not_know(manifest: Manifest) -> None:
    with pytest.raises(UnknownName, match=r"unknown shard 'debian12-x86'[\s\S]*did you mean: debian12-x86_64"):
        matrix_commands.run("debian12-x86", None, False)
    with pytest.raises(UsageError, match="does not know the base"):
        matrix_commands.touches(manifest, "no-such-branch")
    assert matrix_commands.touches(manifest, None) is None


def test_a_shard_that_the_change_does_not_touch_does_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(git, "changed", lambda root, base: ["docs/modes.md"])
    matrix_commands.run("debian12-x86_64", "main", False)
    assert capsys.readouterr().out == "debian12-x86_64: the change does not touch it\n"
    matrix_commands.show(True, "main")
    assert capsys.readouterr().out.count('"include": []') == 2
