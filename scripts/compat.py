"""The main job at several releases of Label Studio, each from PyPI in an environment of its own, one after the other.

    make compat                          # or: .venv/bin/python scripts/compat.py 1.16.0 newest

Each is walked twice, from connecting to a trained student: as it comes, and below a path, over TLS with a private
certificate, with a personal access token (tests/e2e/compat.py). Environments and logs stay in machines/.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from installing.package_tool import pip_settings, uv_settings  # noqa: E402

RELEASES = ("1.13.1", "1.16.0", "1.20.0", "newest")
PLACE = ROOT / "machines"
OLD = "setuptools<81"  # releases before 1.20 import its pkg_resources


def main() -> int:
    """A line for each walk; 1 if one failed."""
    failed = False
    for release in sys.argv[1:] or RELEASES:
        folder = PLACE / f"label-studio-{release}"
        number = installed(folder, release)
        for line, passed in walked(folder, release):
            sys.stdout.write(f"Label Studio {number}: {line}\n")
            sys.stdout.flush()
            failed = failed or not passed
    return int(failed)


def installed(folder: Path, release: str) -> str:
    """Make or complete the environment; the release that it holds."""
    python = folder / "bin" / "python"
    uv, environment = [sys.executable, "-m", "uv"], {**os.environ, **uv_settings(pip_settings(sys.executable))}
    if not python.exists():
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], env=environment, check=True)
    wanted = ["--upgrade", "label-studio"] if release == "newest" else [f"label-studio=={release}"]
    if release != "newest" and tuple(map(int, release.split(".")[:2])) < (1, 20):
        wanted.append(OLD)
    install = [*uv, "pip", "install", "--quiet", "--python", str(python), *wanted]
    subprocess.run(install, env=environment, check=True)
    (found,) = folder.glob("lib/python*/site-packages/label_studio-*.dist-info")
    return re.sub(r"^label_studio-|\.dist-info$", "", found.name)


def walked(folder: Path, release: str) -> list[tuple[str, bool]]:
    """What came of each walk, in words, and whether it passed."""
    report = PLACE / f"compat-{release}.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
        "-o",
        "junit_family=xunit1",
    ]
    with (PLACE / f"compat-{release}.log").open("wb") as log:
        environment = {**os.environ, "LABEL_STUDIO_VENV": str(folder)}
        subprocess.run(
            [*command, "tests/e2e/compat.py"], cwd=ROOT, env=environment, stdout=log, stderr=log, check=False
        )
    cases = list(ElementTree.parse(report).iter("testcase"))
    return [outcome(case, Path(log.name)) for case in cases] or [(f"nothing ran, see {log.name}", False)]


def outcome(case: ElementTree.Element, log: Path) -> tuple[str, bool]:
    """One walk."""
    name = re.sub(r".*\[(.*)\]", r"\1", case.get("name", ""))
    told = {found.get("name"): found.get("value", "") for found in case.iter("property")}
    token = f" with a {told['token']}" if "token" in told else ""
    passed = case.find("failure") is None and case.find("error") is None
    result = f"passed in {float(case.get('time', 0)):.0f} s" if passed else f"failed, see {log}"
    return f"{name}{token}: {result}", passed


if __name__ == "__main__":
    sys.exit(main())
