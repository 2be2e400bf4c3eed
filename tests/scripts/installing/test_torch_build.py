"""Where torch comes from."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from installing import environments
from installing.environments import Environment
from installing.failures import InstallError
from installing.package_tool import PackageTool, Stopped
from installing.torch_build import CPU_BUILDS, install_torch, lacks_libraries, torch_index

GPU_BUILDS = "https://download.pytorch.org/whl/cu130"


class Tool(PackageTool):
    """Notes what it is asked to install; the index that pip is set to has `builds`, the others none if `dead`."""

    def __init__(self, folder: Path, builds: tuple[str, ...] = (), dead: bool = False) -> None:
        super().__init__(folder, "Shortlist", Stopped())
        self.asked: list[list[str]] = []
        self._builds, self._dead = builds, dead
        folder.mkdir(exist_ok=True)

    def install(self, arguments: list[str], total: int) -> None:
        self.asked.append(arguments)
        if self._dead and "--index-url" in arguments:
            raise InstallError("the package index cannot be reached")

    def offers(self, pin: str) -> bool:
        return pin in self._builds


@pytest.fixture(autouse=True)
def linux_without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCH_INDEX", raising=False)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(sys, "platform", "linux")


def test_on_linux_without_a_gpu_it_is_the_cpu_build(tmp_path: Path) -> None:
    assert torch_index(Tool(tmp_path), "torch==2.13.0") == CPU_BUILDS
    assert torch_index(Tool(tmp_path, ("torch==2.13.0+cpu",)), "torch==2.13.0") == ""


def test_a_gpu_or_a_mac_takes_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/nvidia-smi")
    assert torch_index(Tool(tmp_path), "torch==2.13.0") == ""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert torch_index(Tool(tmp_path), "torch==2.13.0") == ""


def test_a_torch_for_gpus_gets_its_libraries(tmp_path: Path) -> None:
    assert not lacks_libraries(tmp_path)
    info = tmp_path / "lib/python3.11/site-packages/torch-2.13.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: torch\nRequires-Dist: sympy\n")
    assert not lacks_libraries(tmp_path)
    (info / "METADATA").write_text("Name: torch\nRequires-Dist: nvidia-cublas==13.1; platform_system == 'Linux'\n")
    tool = Tool(tmp_path, ("torch==2.13.0+cpu",))
    install_torch(tool, "Shortlist", "torch==2.13.0")
    assert tool.asked == [["--no-deps", "torch==2.13.0"], ["torch==2.13.0"]]


def test_another_index_has_torch_installed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "requirements-torch.txt").write_text("torch==2.13.0\n")
    runtime = Environment("runtime", "Shortlist", ".venv", (), 1, torch="requirements-torch.txt")
    mark = environments.stamp(runtime, tmp_path)
    mark.parent.mkdir()
    mark.write_text(environments.lock_hash(runtime, tmp_path))
    assert environments.up_to_date(runtime, tmp_path)
    monkeypatch.setenv("TORCH_INDEX", GPU_BUILDS)
    assert not environments.up_to_date(runtime, tmp_path)
    tool = Tool(tmp_path / runtime.folder)
    install_torch(tool, "Shortlist", "torch==2.13.0")
    assert tool.asked == [["--force-reinstall", "--no-deps", "--index-url", GPU_BUILDS, "torch==2.13.0"]]
    assert environments.up_to_date(runtime, tmp_path)
    install_torch(tool, "Shortlist", "torch==2.13.0")
    assert "--force-reinstall" not in tool.asked[1]
    monkeypatch.delenv("TORCH_INDEX")
    assert environments.up_to_date(runtime, tmp_path)


def test_without_the_index_of_cpu_builds_torch_comes_from_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tool = Tool(tmp_path, dead=True)
    install_torch(tool, "Shortlist", "torch==2.13.0")
    assert f"{CPU_BUILDS} cannot be used; torch comes with NVIDIA's libraries" in capsys.readouterr().out
    assert tool.asked[-1] == ["--no-deps", "torch==2.13.0"]
    monkeypatch.setenv("TORCH_INDEX", GPU_BUILDS)
    with pytest.raises(InstallError):
        install_torch(tool, "Shortlist", "torch==2.13.0")


def test_whether_an_index_has_a_build_is_asked_of_uv_or_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    tool = PackageTool(Path(sys.prefix), "Shortlist", Stopped())
    for settings in ({}, {"UV_NO_INDEX": "1"}):
        tool._settings = settings
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
        assert not tool.offers("torch==2.13.0+cpu")
