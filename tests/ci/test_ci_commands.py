"""What a user sees: results, refusals and exit codes."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from ci import cli, commands, emulation, generate, outcomes, program, quality, report, testing
from ci.engine import Result
from ci.errors import CheckError, MissingPartError, NoBaseError, NoEngineError, ProjectFileError, UsageError
from ci.paths import MANIFEST, ROOT
from ci.shop import Shop
from release.errors import ManifestError
from release.errors import UsageError as UnknownRow
from release.model import Manifest
from release.rows import ImageRow
from tests.ci.fakes import FakeEngine, FakeRunner

ANY: dict[str, str | None] = {"os": None, "arch": None, "python": None, "kind": None}


def _tasks(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tasks.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["build", "--target", "tpu"], 2, "unknown target 'tpu'"),
        (["build", "--os", "debian11"], 2, "unknown os 'debian11'"),
        (["build", "--kind", "slim"], 2, "unknown kind 'slim'"),
        (["build", "--colour"], 2, "No idea what '--colour' is"),
        (["no-such-task"], 2, "No idea what 'no-such-task' is"),
        (["branch.status", "--as-of", "yesterday"], 2, "expected: YYYY-MM-DD"),
        (["branch.status", "--as-of", "2022-11-01", "--json"], 0, ""),
        (["branch.check", "r1.5", "--change"], 1, "r1.5 is in EOL"),
        (["branch.plan", "--form", "pdf"], 2, "unknown form 'pdf'"),
        (["branch.advance", "r2.0", "--to", "Sleep"], 2, "unknown phase 'Sleep'"),
        (["ci.matrix", "--json"], 0, ""),
        (["--help", "build"], 0, ""),
        (["branch.check", "r2.0", "--change", "--tag", "2.0.0rc1"], 2, "one question at a time"),
        (["release.check", "nonsense"], 2, "not a version: nonsense"),
        (["release.clean", "--days", "x"], 2, "invalid literal"),
    ],
)
def test_exit_codes_and_messages(words: list[str], code: int, said: str) -> None:
    done = _tasks(*words)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    if "--json" in words:
        json.loads(done.stdout)
    if code:
        assert done.stdout == ""
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("word", ["release.key", "branch.advance", "ci.shard"])
def test_a_task_that_wants_a_word_does_not_take_help_for_it(word: str) -> None:
    done = _tasks(word, "--help")
    assert done.returncode == 0, done.stderr
    assert f"Example: python3 tasks.py {word}" in done.stdout
    assert not (ROOT / "--help").exists()


def test_help_is_asked_for_the_task_before_it() -> None:
    assert program.with_help(["setup", "release.key", "--help"]) == ["--help", "release.key"]
    assert program.with_help(["release.plan", "2.0.0rc1", "--help"]) == ["--help", "release.plan"]
    assert program.with_help(["build", "--help"]) == ["build", "--help"]
    assert program.with_help(["--help", "release.key"]) == ["--help", "release.key"]


def test_an_image_that_is_not_here_is_not_looked_for_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeEngine(FakeRunner(tmp_path))
    monkeypatch.setattr("ci.engines.detect", lambda runner: fake)
    with pytest.raises(UsageError, match="this machine has no such image") as refusal:
        commands.run("", "mindspore-cpuu")
    assert refusal.value.exit_code == 2


def test_every_task_explains_itself_with_an_example() -> None:
    from tasks import namespace

    for name in namespace.task_names:
        text = namespace[name].__doc__ or ""
        assert "Example: python3 tasks.py " in text, name


def test_invoke_gives_the_same_tasks() -> None:
    program = Path(sys.executable).parent / "invoke"
    done = subprocess.run([str(program), "--list"], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "branch.status" in done.stdout


def test_a_broken_manifest_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "manifest.toml"
    broken.write_text(MANIFEST.read_text(encoding="utf-8") + "\n[extra]\n", encoding="utf-8")
    monkeypatch.setattr(commands, "MANIFEST", broken)
    with pytest.raises(ManifestError, match="extra"):
        commands.build("cpu", ANY, False)


def test_refusals_become_messages_and_codes(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise CheckError("too big", where="here", expected="1", got="2", fix="trim")

    with pytest.raises(SystemExit) as caught:
        cli.guarded(refuse)
    assert caught.value.code == 1
    printed = capsys.readouterr().err
    assert printed == "error: too big\n  where: here\n  expected: 1\n  got: 2\n  to do: trim\n"


def test_an_interrupt_is_130_and_a_defect_stays_a_traceback() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        cli.guarded(interrupt)
    assert caught.value.code == 130
    with pytest.raises(ZeroDivisionError):
        cli.guarded(lambda: 1 // 0)


def test_a_branch_at_its_end_is_not_built(manifest: Manifest) -> None:
    outcomes.check_phase(manifest, date(2000, 1, 1))
    project = manifest.project.model_copy(update={"branch": "r1.0"})
    with pytest.raises(CheckError, match="may not be built"):
        outcomes.check_phase(manifest.model_copy(update={"project": project}), date(2027, 1, 1))


def test_wrong_rows_are_refused(manifest: Manifest) -> None:
    with pytest.raises(UnknownRow, match="debian12"):
        outcomes.rows(manifest, "cpu", {**ANY, "os": "debian"})


def test_rows_that_cannot_be_built_are_only_rendered(
    shop: Shop, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulation, "runs", lambda arch: arch == "x86_64")
    rows = outcomes.rows(manifest, "cpu", {**ANY, "os": "all", "arch": "all", "kind": "runtime"})
    found = {outcome.row: outcome for outcome in outcomes.build_rows(shop, rows)}
    assert found["cpu/debian12/py311/x86_64"].state == "built"
    assert found["cpu/debian12/py311/aarch64"].state == "rendered"
    assert "no registry answers" in found["cpu/openeuler24.03/py311/x86_64"].reason
    text = outcomes.text(list(found.values()), shop.runner.work.as_dict())
    assert "Dockerfiles only: nothing runs aarch64 here" in text
    json.dumps(found["cpu/debian12/py311/x86_64"].as_dict(), default=str)
    alone = [row for row in rows if row.id == "cpu/openeuler24.03/py311/x86_64"]
    with pytest.raises(NoBaseError):
        outcomes.build_rows(shop, alone)


def test_drift_is_found_and_mended(manifest: Manifest, checkout: Path) -> None:
    for path, text in generate.outputs(manifest, checkout).items():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_text(text, encoding="utf-8")
    victim = Path("docker/cpu/generated/debian12/Dockerfile.runtime")
    (checkout / victim).write_text("FROM scratch\n", encoding="utf-8")
    assert generate.drift(manifest, checkout) == [victim]
    assert generate.write(manifest, checkout) == [victim]
    assert generate.drift(manifest, checkout) == []


def test_a_broken_template_names_its_line(manifest: Manifest, row: ImageRow, checkout: Path) -> None:
    template = checkout / "docker/cpu/Dockerfile.j2"
    template.write_text("FROM scratch\n{% if %}\n", encoding="utf-8")
    with pytest.raises(ProjectFileError, match="cannot be rendered") as caught:
        generate.render(manifest, row, "devel", checkout)
    assert caught.value.where == "docker/cpu/Dockerfile.j2:2"


def test_no_dockerfile_differs_between_architectures(manifest: Manifest) -> None:
    files = generate.outputs(manifest)
    rows = [row for row in manifest.image_rows() if generate.has_template(row)]
    assert {row.arch for row in rows} == {"x86_64", "aarch64"}
    for row in rows:
        for kind in row.kinds:
            assert files[generate.dockerfile(row, kind)] == generate.render(manifest, row, kind)


def test_hardware_without_a_template_is_refused(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "has_template", lambda row: row.hardware == "cpu")
    assert outcomes.rows(manifest, "cpu", ANY)
    with pytest.raises(UsageError, match="images for gpu cannot be built yet"):
        outcomes.rows(manifest, "gpu", ANY)


def test_tests_run_once_and_last(
    manifest: Manifest, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(testing, "prepare", lambda *_: None)
    runner.effects["-m pytest"] = lambda argv: Result(5, "")
    assert testing.test(manifest, runner, ["tests/ci"], with_images=False) == 5
    with pytest.raises(UsageError, match="no such tests"):
        testing.test(manifest, runner, ["tests/absent"], with_images=False)
    assert runner.commands[-1][-3:] == ["-m", "not engine", "tests/ci"]


def test_a_wheel_of_another_python_is_explained(manifest: Manifest, runner: FakeRunner) -> None:
    with pytest.raises(MissingPartError, match=r"Python 3\.14"):
        testing.build_wheel(manifest, runner, "3.14", None, on_host=False)
    with pytest.raises(NoEngineError):
        testing.build_wheel(manifest, runner, None, None, on_host=False)
    with pytest.raises(MissingPartError, match="container engine"):
        testing.HostOnly().build  # noqa: B018 - the access is the test


def test_linters_are_run_over_what_is_there(runner: FakeRunner, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "ci", tmp_path / "ci", ignore=shutil.ignore_patterns("__pycache__"))
    runner.effects["check ci"] = lambda argv: Result(1, "E501 too long")
    findings = quality.lint(runner, ["ruff", "mypy"], tmp_path)
    assert [(found.name, found.passed) for found in findings] == [("ruff", False), ("mypy", True)]


def test_columns_line_up() -> None:
    assert report.table(("a", "b"), [("long", "x"), ("s", "")]) == "a     b\nlong  x\ns"


def test_steps_are_announced(capsys: pytest.CaptureFixture[str]) -> None:
    with report.step("work"):
        pass
    assert capsys.readouterr().err.startswith("... work\n    work: done in ")


def test_this_machine_is_in_the_matrix(manifest: Manifest) -> None:
    assert platform.machine() in {row.arch for row in manifest.image_rows()}
