"""Compare the locked packages with the known vulnerabilities (pip-audit, by the index's advisory service).

.venv/bin/python scripts/audit.py [--if-possible]

Exit code 1 if a package has a known vulnerability, or if nobody could be asked; with --if-possible the latter is only
said, so that checks work without a network.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = (
    "requirements.txt",
    "requirements-torch.txt",
    "requirements-redis.txt",
    "requirements-build.txt",
    "requirements-dev.txt",
)
SECONDS = 300
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;]+)")


def pins() -> list[str]:
    """All pins of the locks, without markers and options."""
    lines = [line for lock in LOCKS for line in (ROOT / lock).read_text(encoding="utf-8").splitlines()]
    return sorted({f"{match[1]}=={match[2]}" for line in lines if (match := PIN.match(line))})


def main() -> int:
    """Ask, and say what was found."""
    wanted = pins()
    found: list[dict[str, Any]] = []
    for part in parts(wanted):
        try:
            found += asked(part)
        except (ValueError, KeyError, subprocess.TimeoutExpired) as error:
            return unreachable(str(error))
    unknown = [one["name"] for one in found if "skip_reason" in one]
    if len(unknown) == len(found):
        return unreachable("it knows none of the packages")
    bad = [(one["name"], one["version"], flaw) for one in found for flaw in one.get("vulns", [])]
    for name, version, flaw in bad:
        fixed = ", ".join(flaw["fix_versions"]) or "no release yet"
        print(f"{name} {version}: {flaw['id']}, fixed in {fixed}")
    if unknown:
        print(f"not known to the advisory service: {', '.join(unknown)}")
    print(f"{len(found) - len(unknown)} of {len(wanted)} locked packages compared, {len(bad)} known vulnerabilities")
    return 1 if bad else 0


def parts(wanted: list[str]) -> list[list[str]]:
    """The pins in parts that name each package once: a lock for several Pythons has some packages in two versions."""
    found: list[dict[str, str]] = []
    for pin in wanted:
        name = pin.partition("==")[0]
        part = next((part for part in found if name not in part), None)
        if part is None:
            found.append(part := {})
        part[name] = pin
    return [list(part.values()) for part in found]


def asked(wanted: list[str]) -> list[dict[str, Any]]:
    """What the advisory service says of each; ValueError if it says nothing, subprocess.TimeoutExpired."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pins.txt"
        path.write_text("\n".join(wanted) + "\n")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(path), "--no-deps", "--disable-pip"]
        command += ["--progress-spinner", "off", "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError):
        raise ValueError(next(iter(done.stderr.strip().splitlines()[-1:]), "no answer")) from None


def unreachable(reason: str) -> int:
    """Nobody could be asked."""
    print(f"Vulnerabilities of the locked packages are not known: the advisory service cannot be used ({reason[:200]})")
    return 0 if "--if-possible" in sys.argv[1:] else 1


if __name__ == "__main__":
    sys.exit(main())
