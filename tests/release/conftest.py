from collections.abc import Callable
from pathlib import Path

import pytest

from release.errors import ManifestError
from release.model import DEFAULT, Manifest, load_manifest

Edit = tuple[str, str]


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return load_manifest()


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., Path]:
    """A copy of the manifest in which each (old, new) pair has replaced the first `old`."""

    def write(*edits: Edit) -> Path:
        text = DEFAULT.read_text(encoding="utf-8")
        for old, new in edits:
            assert old in text, f"the manifest no longer holds {old!r}"
            text = text.replace(old, new, 1)
        path = tmp_path / "manifest.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def refusal(edited: Callable[..., Path]) -> Callable[..., ManifestError]:
    """The ManifestError that an edited manifest meets."""

    def load(*edits: Edit) -> ManifestError:
        with pytest.raises(ManifestError) as caught:
            load_manifest(edited(*edits))
        return caught.value

    return load
