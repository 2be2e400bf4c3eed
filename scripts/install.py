"""Fill virtual environments from their locks, with visible progress. Only the standard library: it runs first.

    python3 scripts/install.py runtime label-studio       # what `make run` needs, both side by side
    python3 scripts/install.py development label-studio   # and what checks and tests need

A finished environment carries the hash of its locks, so that a second run returns at once. uv installs, with pip's
settings; its output goes to `<environment>/install.log`; a failure is explained in one line. On Linux without an NVIDIA
GPU torch comes from PyTorch's index of CPU builds, unless the index that pip is set to has one; TORCH_INDEX=<url> names
another, and when it names yet another one later, torch is installed anew.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from installing.environments import KNOWN, Environment, lock_hash, pins, stamp, up_to_date  # noqa: E402
from installing.failures import InstallError  # noqa: E402
from installing.machine import create, require_machine, require_space, warn_of_ports  # noqa: E402
from installing.package_tool import PackageTool, Stopped  # noqa: E402
from installing.progress import complain, say  # noqa: E402
from installing.torch_build import install_torch  # noqa: E402

UV = "requirements-uv.txt"


def main() -> int:
    """Fill the environments named on the command line; 0 when all are ready."""
    names = sys.argv[1:]
    if not names or not set(names) <= set(KNOWN):
        complain(f"usage: install.py {' | '.join(KNOWN)} ...")
        return 2
    try:
        Installation(ROOT).fill([KNOWN[name] for name in names])
    except InstallError as error:
        complain(str(error))
        return 1
    except OSError as error:
        complain(f"installation failed: {error}")
        return 1
    except KeyboardInterrupt:
        complain("installation stopped; run the command again to go on")
        return 130
    return 0


class Installation:
    """Fills environments below `root`, several side by side; one that fails stops the others."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stopped = Stopped()

    def fill(self, environments: list[Environment]) -> None:
        """Create and fill what is not up to date; InstallError says what is in the way."""
        held = {name for environment in environments for name in environment.holds}
        wanted = [one for one in environments if one.name not in held and not up_to_date(one, self._root)]
        if not wanted:
            return
        require_machine()
        require_space(wanted, self._root)
        titles = " and ".join(environment.title for environment in wanted)
        say(f"Installing {titles} (once; half a minute to some minutes, depending on the network)")
        if any(environment.name == "runtime" for environment in wanted):
            warn_of_ports()
        with ThreadPoolExecutor(len(wanted)) as pool:
            futures = [pool.submit(self._fill, environment) for environment in wanted]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
            except BaseException:
                self._stopped.end()
                raise

    def _fill(self, environment: Environment) -> None:
        started, folder = time.monotonic(), self._root / environment.folder
        stamp(environment, self._root).unlink(missing_ok=True)
        create(folder)
        (folder / "install.log").unlink(missing_ok=True)
        tool, wanted = PackageTool(folder, environment.title, self._stopped), pins(environment, self._root)
        tool.fetch_uv(self._root / UV)
        if environment.torch:
            install_torch(tool, environment.title, wanted["torch"])
        locks = [argument for lock in environment.locks for argument in ("-r", str(self._root / lock))]
        tool.install(["--no-deps", *locks], len(wanted))
        if environment.programs:
            tool.install_programs(self._root / environment.programs)
        if environment.project:
            tool.install(["--no-deps", "--no-build-isolation", "-e", str(self._root)], 1)
        for name in (environment.name, *environment.holds):
            stamp(KNOWN[name], self._root).write_text(lock_hash(KNOWN[name], self._root))
        say(f"{environment.title}: installed in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
