"""One file with all that must not be lost: the pool, and every version of every project.

A tar archive with `pool.jsonl.gz` (see pool/backup.py) and `versions/<project>/<version>/<file>`. Neither database nor
place of the versions need be the same on both sides: SQLite and a folder become PostgreSQL and S3, and back.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
import structlog

from backend.errors import PoolError
from backend.pool import projects, versions
from backend.pool.database import dump as pool_backup
from model.errors import ArtifactError
from model.registry import NAME, Registry

log = structlog.get_logger(__name__)

MARGIN_SECONDS = 60  # by which the clocks of two hosts may differ
POOL, VERSIONS = "pool.jsonl.gz", "versions"


@dataclass(frozen=True)
class Contents:
    """What a backup holds: rows by table, the number of versions, and the versions that could not be read."""

    rows: dict[str, int]
    versions: int
    missing: tuple[str, ...] = ()


def dump(engine: sa.Engine, registry: Registry, path: Path) -> Contents:
    """Write everything to `path`, which appears only when it is complete; the pool is as of one moment.

    Raises PoolError if the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with tempfile.TemporaryDirectory(prefix="shortlist-") as folder, tarfile.open(part, "w") as archive:
            rows = pool_backup.dump(engine, Path(folder) / POOL)
            archive.add(Path(folder) / POOL, POOL)
            kept, missing = _add_versions(engine, registry, archive)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except OSError as error:
        raise PoolError(f"the backup {path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return Contents(rows, kept, tuple(missing))


def load(engine: sa.Engine, registry: Registry, path: Path) -> Contents:
    """Fill an empty pool and the place of versions; versions first, so that no row names one that is missing.

    Raises PoolError if the file is no complete backup or the pool is not empty, ArtifactError if a version is damaged.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="shortlist-") as name, tarfile.open(path) as archive:
            folder = Path(name)
            archive.extractall(folder, filter="data")
            if not (folder / POOL).is_file():
                raise PoolError(f"{path} is no backup of Shortlist: {POOL} is missing")
            pool_backup.expect_empty(engine)
            found = [place for place in sorted((folder / VERSIONS).glob("*/*")) if NAME.fullmatch(place.name)]
            for place in found:
                registry.adopt(int(place.parent.name), place.name, place)
            rows = pool_backup.load(engine, folder / POOL)
            versions.skip_numbers(engine, _perhaps_made_since(archive.getmember(POOL).mtime))
            return Contents(rows, len(found))
    except (OSError, EOFError, ValueError, tarfile.TarError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PoolError(f"the backup {path} cannot be read: {reason}") from error


def _perhaps_made_since(moment: float) -> int:
    """How many versions may have been made since a backup was written (seconds since 1970). Label Studio and other
    hosts may know their names; a training takes more than a second."""
    return max(0, round(time.time() - moment)) + MARGIN_SECONDS


def _add_versions(engine: sa.Engine, registry: Registry, archive: tarfile.TarFile) -> tuple[int, list[str]]:
    """Add the folders of all versions that the pool knows; how many, and which could not be read."""
    kept, missing = 0, []
    for project in projects.all_projects(engine):
        for row in versions.list_versions(engine, project.project):
            if row.state == "removed":
                continue
            try:
                folder = registry.fetch(project.project, row.version)
                archive.add(folder, f"{VERSIONS}/{project.project}/{row.version}")
                kept += 1
            except ArtifactError as error:
                log.error("version not in the backup", project=project.project, version=row.version, reason=str(error))
                missing.append(row.version)
    return kept, missing
