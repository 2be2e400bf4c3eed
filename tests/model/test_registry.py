"""Versions on a local disk and on a remote file system: complete or absent, checked, never overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.errors import ArtifactError
from model.registry import Registry, read_card


class Paper:
    """A student that is one small file."""

    def __init__(self, text: str = "weights") -> None:
        self.text = text

    def save(self, folder: Path) -> None:
        (folder / "student.json").write_text(self.text)
        (folder / "README.md").write_text("# card\n")


@pytest.fixture(params=["folder", "remote"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    url = str(tmp_path / "versions") if request.param == "folder" else f"memory://{tmp_path.name}/versions"
    return Registry(url, tmp_path / "cache")


def test_a_version_is_written_listed_fetched_and_deleted(registry: Registry) -> None:
    assert registry.versions(7) == []
    registry.write(7, "student-1-abc", Paper(), {"accuracy": 0.8})
    registry.write(7, "student-2-abc", Paper("other"), {})
    assert registry.versions(7) == ["student-1-abc", "student-2-abc"]
    folder = registry.fetch(7, "student-1-abc")
    assert (folder / "student.json").read_text() == "weights"
    assert read_card(folder) == {"accuracy": 0.8}
    assert '"accuracy": 0.8' in (folder / "README.md").read_text()
    assert registry.fetch(7, "student-1-abc") == folder
    registry.delete(7, "student-1-abc")
    registry.delete(7, "student-1-abc")
    assert registry.versions(7) == ["student-2-abc"]
    with pytest.raises(ArtifactError, match="no such version"):
        registry.fetch(7, "student-1-abc")


def test_a_version_is_never_overwritten(registry: Registry) -> None:
    registry.write(1, "student-1-abc", Paper(), {})
    with pytest.raises(ArtifactError, match="never overwritten"):
        registry.write(1, "student-1-abc", Paper("new"), {})
    assert (registry.fetch(1, "student-1-abc") / "student.json").read_text() == "weights"


@pytest.mark.parametrize("version", ["", "../up", "a/b", ".hidden", "x" * 300])
def test_names_that_could_leave_the_folder_are_refused(registry: Registry, version: str) -> None:
    with pytest.raises(ArtifactError, match="not a name"):
        registry.fetch(1, version)


def test_damage_is_found_by_checksum(tmp_path: Path) -> None:
    registry = Registry(str(tmp_path / "versions"), tmp_path / "cache")
    registry.write(1, "student-1-abc", Paper(), {})
    folder = tmp_path / "versions" / "1" / "student-1-abc"
    (folder / "student.json").write_text("tampered")
    with pytest.raises(ArtifactError, match="damaged"):
        registry.fetch(1, "student-1-abc")
    (folder / "student.json").unlink()
    with pytest.raises(ArtifactError, match="is missing"):
        registry.fetch(1, "student-1-abc")
    (folder / "manifest.json").write_text("[]")
    with pytest.raises(ArtifactError, match="cannot be read"):
        registry.fetch(1, "student-1-abc")


def test_a_damaged_cache_is_fetched_again(tmp_path: Path) -> None:
    registry = Registry(f"memory://{tmp_path.name}/again", tmp_path / "cache")
    registry.write(1, "student-1-abc", Paper(), {})
    folder = registry.fetch(1, "student-1-abc")
    (folder / "student.json").write_text("tampered")
    assert (registry.fetch(1, "student-1-abc") / "student.json").read_text() == "weights"


class Other(Paper):
    """Another student of the same name."""

    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / "student.json").write_text("other weights")


def test_what_another_host_has_kept_under_the_same_name_is_not_served(tmp_path: Path) -> None:
    url = f"memory://{tmp_path.name}/once"
    here, there = Registry(url, tmp_path / "here"), Registry(url, tmp_path / "there")
    here.write(1, "student-1-abc", Paper(), {})
    assert (there.fetch(1, "student-1-abc") / "student.json").read_text() == "weights"
    here.delete(1, "student-1-abc")
    here.write(1, "student-1-abc", Other(), {})
    assert (there.fetch(1, "student-1-abc") / "student.json").read_text() == "other weights"


def test_a_version_is_adopted_once_and_never_instead_of_another(tmp_path: Path) -> None:
    old, new = (Registry(str(tmp_path / name), tmp_path / "cache") for name in ("old", "new"))
    old.write(1, "student-1-abc", Paper(), {})
    for _ in range(2):
        new.adopt(1, "student-1-abc", old.fetch(1, "student-1-abc"))
    other = Registry(str(tmp_path / "other"), tmp_path / "cache")
    other.write(1, "student-1-abc", Other(), {})
    with pytest.raises(ArtifactError, match="holds another version of that name"):
        new.adopt(1, "student-1-abc", other.fetch(1, "student-1-abc"))


def test_a_version_without_manifest_does_not_exist(tmp_path: Path) -> None:
    registry = Registry(str(tmp_path), tmp_path / "cache")
    half = tmp_path / "1" / "student-1-abc"
    half.mkdir(parents=True)
    (half / "student.json").write_text("half")
    assert registry.versions(1) == []
    registry.write(1, "student-1-abc", Paper(), {})
    assert registry.versions(1) == ["student-1-abc"]
    assert set(json.loads((half / "manifest.json").read_text())["files"]) == {"README.md", "card.json", "student.json"}


def test_an_unusable_url_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="MODEL_DIR"):
        Registry("nosuchscheme://bucket", tmp_path)
