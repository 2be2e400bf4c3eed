"""Versions of students, on any fsspec URL: `<url>/<project>/<version>/` with a manifest of checksums.

A version is written once and never changed. On a local disk it appears by one rename; elsewhere its manifest is
written last, and a version without a manifest does not exist. What versions of several projects need, an encoder in
exported form, lies under `<url>/shared/<name>/` in the same way, but may be replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import fsspec

from model.errors import ArtifactError

MANIFEST = "manifest.json"
CARD = "card.json"
SHARED = "shared"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")


class Saves(Protocol):
    """What the registry needs of a student."""

    def save(self, folder: Path) -> None: ...


class Registry:
    """Reads and writes versions under one URL. `cache` is a local folder for what comes from elsewhere."""

    def __init__(self, url: str, cache: Path) -> None:
        try:
            self._files, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ArtifactError(f"MODEL_DIR={url}: cannot be used ({error})") from error
        self._root = str(root).rstrip("/")
        self._local = "file" in _protocols(self._files)
        self._cache = cache

    def write(self, project: int, version: str, student: Saves, card: Mapping[str, object]) -> None:
        """Store a new version with its card; ArtifactError if it exists already or cannot be written."""
        place = self._place(project, version)
        if self._exists(place):
            raise ArtifactError(
                f"version {version} of project {project} exists already; versions are never overwritten"
            )
        with tempfile.TemporaryDirectory(prefix="shortlist-") as temporary:
            folder = Path(temporary)
            student.save(folder)
            (folder / CARD).write_text(json.dumps(dict(card), ensure_ascii=False, indent=1, default=str))
            with (folder / "README.md").open("a") as readme:
                readme.write("\n## Card\n\n```json\n" + (folder / CARD).read_text() + "\n```\n")
            (folder / MANIFEST).write_text(_manifest(folder))
            self._put(folder, place)

    def adopt(self, project: int, version: str, folder: Path) -> None:
        """Store a version that another registry's `fetch` gave; nothing happens if it is here already.

        Raises ArtifactError if the folder does not match its checksums or cannot be written, or another version has
        its name here.
        """
        place = self._place(project, version)
        _verify(folder)
        if not self._exists(place):
            self._put(folder, place)
        elif not self._same(place, folder):
            raise ArtifactError(
                f"{place} holds another version of that name, and versions are never overwritten: set MODEL_DIR to an "
                "empty place"
            )

    def fetch(self, project: int, version: str) -> Path:
        """A local folder with the version; ArtifactError if it is absent or does not match its checksums."""
        place = self._place(project, version)
        if self._local:
            folder = Path(place)
            _verify(folder)
            return folder
        return self._kept(place, self._cache / str(project) / version)

    def share(self, name: str, folder: Path) -> None:
        """Store the files of a folder for all projects, or replace them; ArtifactError if they cannot be written."""
        with tempfile.TemporaryDirectory(prefix="shortlist-") as temporary:
            waiting = Path(shutil.copytree(folder, Path(temporary) / name))
            (waiting / MANIFEST).write_text(_manifest(folder))
            self._remove(self._place(SHARED, name))
            self._put(waiting, self._place(SHARED, name))

    def shares(self, name: str, file: Path) -> bool:
        """Whether what is stored for all projects under that name holds this very file."""
        place = self._place(SHARED, name)
        with self._reaching(f"{place} cannot be read"):
            self._files.invalidate_cache()
            there = self._files.exists(f"{place}/{MANIFEST}") and self._files.exists(f"{place}/{file.name}")
            return bool(there) and self._files.cat_file(f"{place}/{file.name}") == file.read_bytes()

    def shared(self, name: str) -> Path:
        """A local folder with what `share` stored last; ArtifactError if it is absent or damaged."""
        place, kept = self._place(SHARED, name), self._cache / SHARED / name
        if self._local:
            _verify(Path(place))
            return Path(place)
        return self._kept(place, kept)

    def versions(self, project: int) -> list[str]:
        """Complete versions of a project, sorted by name."""
        folder = f"{self._root}/{int(project)}"
        self._files.invalidate_cache()
        if not self._files.isdir(folder):
            return []
        names = [str(path).rstrip("/").rsplit("/", 1)[-1] for path in self._files.ls(folder, detail=False)]
        return sorted(name for name in names if NAME.fullmatch(name) and self._exists(f"{folder}/{name}"))

    def delete(self, project: int, version: str) -> None:
        """Remove a version, manifest first; nothing happens if there is none."""
        self._remove(self._place(project, version))
        shutil.rmtree(self._cache / str(int(project)) / version, ignore_errors=True)

    def _remove(self, place: str) -> None:
        if self._files.exists(f"{place}/{MANIFEST}"):
            self._files.rm_file(f"{place}/{MANIFEST}")
        if self._files.isdir(place):
            self._files.rm(place, recursive=True)

    def _place(self, project: int | str, version: str) -> str:
        if not NAME.fullmatch(version):
            raise ArtifactError(f"version {version!r} is not a name of letters, digits, '.', '_' and '-'")
        return f"{self._root}/{project if project == SHARED else int(project)}/{version}"

    def _kept(self, place: str, kept: Path) -> Path:
        """The copy of what lies elsewhere, fetched if it is not there, damaged, or of something else."""
        if (kept / MANIFEST).is_file():
            try:
                _verify(kept)
            except ArtifactError:
                shutil.rmtree(kept, ignore_errors=True)
            else:
                if self._same(place, kept):
                    return kept
                shutil.rmtree(kept, ignore_errors=True)
        return self._download(place, kept)

    def _same(self, place: str, folder: Path) -> bool:
        """Whether a folder is what is stored at a place: the manifest has the checksum of every file. One that was
        removed there since is not another one."""
        with self._reaching(f"{place} cannot be reached"):
            self._files.invalidate_cache()
            if not self._files.exists(f"{place}/{MANIFEST}"):
                return True
            return bool(self._files.cat_file(f"{place}/{MANIFEST}") == (folder / MANIFEST).read_bytes())

    def _exists(self, place: str) -> bool:
        with self._reaching(f"{place} cannot be reached"):
            return bool(self._files.exists(f"{place}/{MANIFEST}"))

    def _put(self, folder: Path, place: str) -> None:
        with self._reaching(f"{place} cannot be written"):
            self._put_local(folder, Path(place)) if self._local else self._put_remote(folder, place)

    @contextmanager
    def _reaching(self, failure: str) -> Iterator[None]:
        """ArtifactError, caused by an OSError, instead of what disks and object stores raise: trying again may help."""
        try:
            yield
        except ArtifactError:
            raise
        except OSError as error:
            raise ArtifactError(f"{failure}: {error}") from error
        except Exception as error:
            if self._local:
                raise
            raise ArtifactError(f"{failure}: {error}") from OSError(str(error))  # each store has errors of its own

    def _put_local(self, folder: Path, place: Path) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        waiting = place.parent / f".{uuid.uuid4().hex}"
        try:
            shutil.copytree(folder, waiting)
            for path in waiting.iterdir():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            if place.exists():  # left over by a deletion that was killed; without a manifest it is no version
                shutil.rmtree(place)
            os.rename(waiting, place)
        finally:
            shutil.rmtree(waiting, ignore_errors=True)  # on a full disk nothing may be left

    def _put_remote(self, folder: Path, place: str) -> None:
        self._files.makedirs(place, exist_ok=True)
        names = sorted(path.name for path in folder.iterdir() if path.name != MANIFEST)
        for name in [*names, MANIFEST]:
            self._files.put_file(str(folder / name), f"{place}/{name}")

    def _download(self, place: str, kept: Path) -> Path:
        self._files.invalidate_cache()
        if not self._exists(place):
            raise ArtifactError(f"{place}: there is no such version ({MANIFEST} is missing)")
        kept.parent.mkdir(parents=True, exist_ok=True)
        waiting = kept.parent / f".{uuid.uuid4().hex}"
        waiting.mkdir()
        try:
            with self._reaching(f"{place} cannot be fetched"):
                for path in self._files.ls(place, detail=False):
                    name = str(path).rsplit("/", 1)[-1]
                    self._files.get_file(str(path), str(waiting / name))
                _verify(waiting)
                if not kept.exists():
                    os.rename(waiting, kept)
        finally:
            shutil.rmtree(waiting, ignore_errors=True)
        return kept


def read_card(folder: Path) -> dict[str, Any]:
    """The card that was stored with a version; ArtifactError if it cannot be read."""
    try:
        return dict(json.loads((folder / CARD).read_text()))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{folder / CARD}: cannot be read ({error})") from error


def _protocols(files: Any) -> tuple[str, ...]:
    names = files.protocol
    return (names,) if isinstance(names, str) else tuple(names)


def _manifest(folder: Path) -> str:
    return json.dumps({"files": {path.name: _checksum(path) for path in sorted(folder.iterdir())}}, indent=1)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _verify(folder: Path) -> None:
    path = folder / MANIFEST
    try:
        expected = json.loads(path.read_text())["files"]
    except FileNotFoundError as error:
        raise ArtifactError(f"{folder}: there is no such version ({MANIFEST} is missing)") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path}: cannot be read ({error!r})") from error
    for name, checksum in expected.items():
        file = folder / name
        if not NAME.fullmatch(name) or not file.is_file():
            raise ArtifactError(f"{file}: is missing, although {MANIFEST} names it")
        if _checksum(file) != checksum:
            raise ArtifactError(f"{file}: its checksum differs from {MANIFEST}; the version is damaged")
