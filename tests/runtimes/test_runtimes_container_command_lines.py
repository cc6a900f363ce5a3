"""What the engine is told: hostile images, variables and mounts cannot become anything else; docker as a table."""

from pathlib import Path

import pytest

from mooring.runtimes.base import ContainerSpec, ImageError, Limits, Mount, Readiness
from mooring.runtimes.container.command import Surroundings, create_command
from mooring.runtimes.container.environment import sorted_out
from mooring.runtimes.container.flavours import DOCKER, PODMAN
from mooring.runtimes.container.networks import network_name
from mooring.runtimes.container.references import parse

_AROUND = Surroundings("run1", "home1", "net1", "", 40000, 4096, ("--runtime", "runc"))
_SPEC = ContainerSpec(
    "a" * 64,
    ["serve", "--x"],
    ["y"],
    mounts=[Mount(Path("/srv/models"), "/mnt/models")],
    working_dir="/app",
    readiness=Readiness(8080),
    read_only_root=True,
    limits=Limits(memory_bytes=1 << 30, cpus=0.5),
)


def test_docker_is_told_all_of_it() -> None:
    assert create_command(DOCKER, _SPEC, _AROUND, ["--env-file", "/run/env"]) == [
        *("create", "--name", "mooring-run1", "--pull", "never"),
        *("--label", "mooring.home=home1", "--label", "mooring.run=run1"),
        *("--network", "net1", "--restart", "no", "--log-driver", "none", "--init"),
        *("--cap-drop", "all", "--security-opt", "no-new-privileges", "--user", "65534:65534", "--no-healthcheck"),
        *("--pids-limit", "4096", "--stop-timeout", "30", "--memory", "1073741824b", "--memory-swap", "1073741824b"),
        *("--cpus", "0.5", "--ulimit", "nofile=4096:4096", "--publish", "127.0.0.1:40000:8080", "--read-only"),
        *("--workdir", "/app", "--mount", "type=bind,source=/srv/models,target=/mnt/models,readonly"),
        *("--env-file", "/run/env", "--runtime", "runc", "--entrypoint=serve", "a" * 64, "--x", "y"),
    ]


@pytest.mark.parametrize("flavour", [PODMAN, DOCKER])
def test_what_a_template_says_comes_after_the_image_or_inside_of_one_word(flavour: object) -> None:
    spec = ContainerSpec("a" * 64, ["--privileged"], ["--volume=/:/host"])
    words = create_command(flavour, spec, _AROUND, [])  # type: ignore[arg-type]
    place = words.index("a" * 64)
    assert words[place - 1 :] == ["--entrypoint=--privileged", "a" * 64, "--volume=/:/host"]


@pytest.mark.parametrize(
    ("image_user", "user", "group", "expected"),
    [
        ("", None, None, "65534:65534"),
        ("root", None, None, "65534:65534"),
        ("0:0", None, None, "65534:65534"),
        ("", None, 7, "65534:7"),
        ("app", None, None, "app"),
        ("app:staff", None, None, "app:staff"),
        ("app:staff", None, 7, "app:7"),
        ("root", 5, None, "5"),
        ("app", 5, 6, "5:6"),
    ],
)
def test_the_user_is_the_templates_else_the_images_but_not_root(
    image_user: str, user: int | None, group: int | None, expected: str
) -> None:
    around = Surroundings("run1", "home1", "net1", image_user, None, 4096)
    words = create_command(PODMAN, ContainerSpec("a" * 64, user=user, group=group), around, [])
    assert words[words.index("--user") + 1] == expected


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("/a,type=bind,source=/", "/mnt"),
        ("/a", "/mnt,source=/"),
        ("/a", '/mnt"'),
        ("/a", "/mnt\nx"),
        ("/a", "relative"),
        ("/a", "/"),
        ("/a", "/mnt/../etc"),
        ("a", "/mnt"),
    ],
)
def test_a_mount_cannot_become_another(source: str, target: str) -> None:
    spec = ContainerSpec("a" * 64, mounts=[Mount(Path(source), target)])
    with pytest.raises(ValueError, match="cannot be mounted"):
        create_command(PODMAN, spec, _AROUND, [])


@pytest.mark.parametrize("name", ["", "A=B", "A B", "A\nB", "*", "A*", "#A", "1A", "ü", "A\0"])
def test_a_variable_cannot_become_another(name: str) -> None:
    with pytest.raises(ValueError, match="environment variable"):
        sorted_out({name: "x"})


def test_a_value_that_no_process_can_have_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="NUL") as refused:
        sorted_out({"A": "canary\0"})
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("python", "docker.io/library/python:latest"),
        ("python:3.11", "docker.io/library/python:3.11"),
        ("me/app", "docker.io/me/app:latest"),
        ("docker.io/python", "docker.io/library/python:latest"),
        ("ghcr.io/a/b/c:v1.2-x", "ghcr.io/a/b/c:v1.2-x"),
        ("localhost/x:1", "localhost/x:1"),
        ("registry.local:5000/a__b/c-d.e:_1", "registry.local:5000/a__b/c-d.e:_1"),
        (f"a/b:1@sha256:{'0' * 64}", f"docker.io/a/b@sha256:{'0' * 64}"),
        # Transports of podman: read as what they would be elsewhere, and only ever asked for at a registry.
        ("docker-daemon:x", "docker.io/library/docker-daemon:x"),
    ],
)
def test_an_image_is_named_in_full(image: str, full: str) -> None:
    assert parse(image).full == full


@pytest.mark.parametrize(
    "image",
    [
        *("", "-", "--privileged", "-v/:/host", "a b", "a\nb", "A/b", "a//b", "/a", "a/", "a:", "a:b:c", "a@b"),
        *("oci-archive:/etc/shadow", "dir:/etc", "docker-archive:/x.tar:y", "docker://a", "containers-storage:[x]a"),
        *("../a", "a/../b", "a;b", "a$(id)", "a`id`", "a|b", "a\0b", "http://x/a", "user:pass@host/a", "a@sha256:1"),
        *("x.y:999999/a", "a" * 600, "ü", "a%2fb", "-x.y/a", f"a@sha256:{'g' * 64}"),
    ],
)
def test_what_is_no_image_is_refused(image: str) -> None:
    with pytest.raises(ImageError):
        parse(image)


def test_a_groups_network_is_its_own() -> None:
    names = {network_name(home, group) for home in ("h1", "h2") for group in ("default", "x", "--privileged", "a/b")}
    assert len(names) == 8
    assert all(name.removeprefix("mooring-").isalnum() for name in names)
