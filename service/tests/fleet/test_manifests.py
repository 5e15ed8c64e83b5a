"""The files for a fleet in `deploy/`: valid, consistent with each other and with the program."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT

yaml = pytest.importorskip("yaml", reason="service/requirements-fleet.txt is not installed")

DEPLOY = ROOT / "deploy"
SECRETS = "/run/mattecam"


def loaded(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8")))


@pytest.fixture
def service() -> Any:
    return loaded("rayservice.yaml")[0]["spec"]


@pytest.fixture
def compose() -> Any:
    return loaded("compose-fleet.yaml")[0]


def applications() -> dict[str, Any]:
    (spec,) = [document["spec"] for document in loaded("rayservice.yaml") if document["kind"] == "RayService"]
    return {"fleet.yaml": loaded("fleet.yaml")[0], "rayservice.yaml": yaml.safe_load(spec["serveConfigV2"])}


def pods(service: Any) -> list[Any]:
    cluster = service["rayClusterConfig"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"]["spec"] for group in groups]


def test_both_serve_configurations_are_the_same() -> None:
    given = applications()
    assert given["fleet.yaml"] == given["rayservice.yaml"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_ray_serve_accepts_the_configuration() -> None:
    schema = pytest.importorskip("ray.serve.schema", reason="service/requirements-fleet.txt is not installed")
    schema.ServeDeploySchema.model_validate(loaded("fleet.yaml")[0])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_ray_serve_builds_the_application_of_the_configuration() -> None:
    api = pytest.importorskip("ray.serve._private.api", reason="service/requirements-fleet.txt is not installed")
    from pydantic import ValidationError

    from service.fleet.application import build

    args = loaded("fleet.yaml")[0]["applications"][0]["args"]
    assert api.call_user_app_builder_with_args_if_necessary(build, args) is not None
    with pytest.raises(ValidationError):
        api.call_user_app_builder_with_args_if_necessary(build, {**args, "tokens": 3})


def test_the_arguments_are_options_of_the_fleet() -> None:
    from service.fleet.options import FleetOptions

    (application,) = loaded("fleet.yaml")[0]["applications"]
    options = FleetOptions(**application["args"])
    assert options.min_replicas >= 2, "a redeployment leaves a replica that takes offers"
    module, _, name = application["import_path"].partition(":")
    assert f"def {name}(" in (ROOT / f"{module.replace('.', '/')}.py").read_text()
    assert {str(options.token_file.parent), str((options.ice_servers or Path()).parent)} == {SECRETS}


def test_replicas_have_time_to_drain(service: Any, compose: Any) -> None:
    drain_s = loaded("fleet.yaml")[0]["applications"][0]["args"]["drain_s"]
    assert service["rayClusterDeletionDelaySeconds"] >= drain_s
    assert all(pod["terminationGracePeriodSeconds"] > drain_s for pod in pods(service))
    for name in ("head", "worker"):
        assert int(compose["services"][name]["stop_grace_period"].rstrip("s")) > drain_s


def test_pods_are_no_root_and_their_secrets_private(service: Any) -> None:
    for pod in pods(service):
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 65532
        (container,) = pod["containers"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        (first,) = pod["initContainers"]
        assert first["command"][:3] == ["install", "-m", "600"] and first["command"][-1] == f"{SECRETS}/"
        volumes = {volume["name"] for volume in pod["volumes"]}
        mounted = {mount["name"] for each in (container, first) for mount in each["volumeMounts"]}
        assert mounted <= volumes
        assert {"mountPath": SECRETS, "name": "private", "readOnly": True} in container["volumeMounts"]
        assert container["image"] == first["image"] == "mattecam-fleet"


def test_a_pod_holds_whole_replicas(service: Any) -> None:
    (application,) = loaded("fleet.yaml")[0]["applications"]
    cores = application["args"]["cores"]
    for group in service["rayClusterConfig"]["workerGroupSpecs"]:
        (container,) = group["template"]["spec"]["containers"]
        assert int(container["resources"]["limits"]["cpu"]) % cores == 0
        assert container["resources"]["limits"]["cpu"] == container["resources"]["requests"]["cpu"]


def test_versions_and_images_agree(service: Any, compose: Any) -> None:
    pinned = re.search(r"^ray\[serve\]==([\d.]+)", (ROOT / "service/requirements-fleet.txt").read_text(), re.MULTILINE)
    films = re.search(r"^ray==([\d.]+)", (ROOT / "requirements-cluster.txt").read_text(), re.MULTILINE)
    assert pinned is not None and films is not None and pinned[1] == films[1]
    assert service["rayClusterConfig"]["rayVersion"] == pinned[1]
    assert f"\nray=={pinned[1]} " in (ROOT / "requirements" / "fleet.lock").read_text()
    assert service["rayClusterConfig"]["authOptions"] == {"mode": "token"}
    assert compose["services"]["head"]["build"]["dockerfile"] == "deploy/fleet.Dockerfile"
    assert re.fullmatch(r"coturn/coturn:[\d.]+", compose["services"]["turn"]["image"])


def test_only_signalling_and_turn_are_published(compose: Any) -> None:
    published = {port for each in compose["services"].values() for port in each.get("ports", [])}
    assert published == {"127.0.0.1:8000:8000", "3478:3478/udp", "3478:3478/tcp"}
    for name in ("head", "worker"):
        environment = compose["services"][name]["environment"]
        assert environment["RAY_AUTH_MODE"] == "token" and "network_mode" not in compose["services"][name]


def test_the_image_copies_what_exists_and_drops_root() -> None:
    text = (DEPLOY / "fleet.Dockerfile").read_text()
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in line.split()[:-1]), line
    (install,) = re.findall(r"pip install (.+)$", text, re.MULTILINE)
    assert "--require-hashes" in install and "--no-deps" in install
    assert re.findall(r"^USER (\S+)$", text, re.MULTILINE)[-1] == "65532:65532"


def test_coturn_relays_to_the_fleet_alone(compose: Any) -> None:
    lines = (DEPLOY / "turnserver.conf").read_text().splitlines()
    assert "use-auth-secret" in lines and "static-auth-secret=SECRET" in lines
    assert "denied-peer-ip=0.0.0.0-255.255.255.255" in lines
    (allowed,) = [line for line in lines if line.startswith("allowed-peer-ip=")]
    (network,) = compose["networks"]["fleet"]["ipam"]["config"]
    assert (allowed, network["subnet"]) == ("allowed-peer-ip=172.28.0.0-172.28.255.255", "172.28.0.0/16")
    assert "listening-port=3478" in lines


def test_coturn_accepts_its_configuration(tmp_path: Path) -> None:
    if shutil.which("turnserver") is None:
        pytest.skip("needs coturn")
    file = tmp_path / "turnserver.conf"
    file.write_text((DEPLOY / "turnserver.conf").read_text().replace("=3478", "=0"))
    options = [f"--userdb={tmp_path}/db", f"--pidfile={tmp_path}/pid", "--listening-ip=127.0.0.1"]
    with subprocess.Popen(
        ["turnserver", "-c", str(file), *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if "Relay address to use" in line or "Total auth threads" in line:
                    break
        finally:
            process.kill()
    assert not re.search(r"Bad configuration|Unknown argument|unrecognized", "".join(said), re.IGNORECASE)
