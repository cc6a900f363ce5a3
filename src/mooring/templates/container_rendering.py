"""From a container in a template, its placeholders filled, to what is run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mooring.domain.containers import Container, PullPolicy
from mooring.domain.resource_plans import DEFAULT_PLAN, RESOURCE_PLANS
from mooring.templates.container_environment import Expansion, all_of_secrets, expansion
from mooring.templates.container_values import absolute_path, flag, number, refuse_too_much, short_enough, shown, words
from mooring.templates.container_volumes import volumes
from mooring.templates.errors import TemplateError
from mooring.templates.trees import Tree, entries, mapping, required_text, text

_IMAGE = re.compile(r"[a-zA-Z0-9][\w.:/@-]{0,511}", re.ASCII)
_PLAN_LABELS = ("ai.sap.com/resourcePlan", "ai.sap.com/instanceType")


@dataclass(frozen=True)
class Pod:
    """What a template says around its container. `volumes` as `spec.volumes` has them, `security` as the pod's
    `securityContext`; `default_user` and `default_group` hold when nothing names others (None: the image's)."""

    volumes: Sequence[Tree] = ()
    pull_secrets: tuple[str, ...] = ()
    security: Mapping[str, Tree] = field(default_factory=dict)
    resource_plan: str = DEFAULT_PLAN
    default_user: int | None = None
    default_group: int | None = None


def render_container(tree: Mapping[str, Tree], pod: Pod, *, path: str) -> Container:
    """What is run. Raises TemplateError, naming the field below `path`."""
    known = expansion(tree, path)
    command, args = _expanded(tree, "command", known, path), _expanded(tree, "args", known, path)
    refuse_too_much((*(command or ()), *(args or ())), f"{path}.args")
    working_dir = text(tree.get("workingDir"), f"{path}.workingDir")
    own = mapping(tree.get("securityContext"), f"{path}.securityContext")
    security = {**pod.security, **{name: value for name, value in own.items() if text(value, name)}}
    user = number(security.get("runAsUser"), f"{path}.securityContext.runAsUser")
    if user == 0:
        raise TemplateError(f"{path}.securityContext.runAsUser", "is 0: containers do not run as root")
    group = number(security.get("runAsGroup"), f"{path}.securityContext.runAsGroup")
    return Container(
        image=_image(tree, path),
        resource_plan=pod.resource_plan,
        command=command,
        args=args,
        variables=tuple(known.variables.values()),
        from_secrets=all_of_secrets(tree, path),
        volumes=volumes(tree, pod.volumes, path),
        working_dir=absolute_path(working_dir, f"{path}.workingDir") if working_dir else "",
        pull_policy=_pull_policy(tree, path),
        pull_secrets=pod.pull_secrets,
        user=pod.default_user if user is None else user,
        group=pod.default_group if group is None else group,
        read_only_root=flag(own.get("readOnlyRootFilesystem"), f"{path}.securityContext.readOnlyRootFilesystem"),
    )


def resource_plan(labels: Mapping[str, Tree]) -> str:
    """The plan that the labels of a template name. Raises TemplateError for one that is not known."""
    for label in _PLAN_LABELS:
        name = text(labels.get(label), f"metadata.labels.{label}")
        if name and name not in RESOURCE_PLANS:
            known = ", ".join(RESOURCE_PLANS)
            raise TemplateError(f"metadata.labels.{label}", f"is {shown(name)}; use one of {known}")
        if name:
            return name
    return DEFAULT_PLAN


def pull_secrets(*places: tuple[Mapping[str, Tree], str]) -> tuple[str, ...]:
    """The names in the `imagePullSecrets` of all places (each with its path), each once. Raises TemplateError."""
    return tuple(dict.fromkeys(name for tree, path in places for name in _pull_secrets(tree, path)))


def _pull_secrets(tree: Mapping[str, Tree], path: str) -> Iterator[str]:
    for where, entry in entries(tree, path, "imagePullSecrets"):
        yield required_text(entry.get("name"), f"{where}.name")


def _image(tree: Mapping[str, Tree], path: str) -> str:
    image = required_text(tree.get("image"), f"{path}.image")
    if not _IMAGE.fullmatch(image):
        raise TemplateError(f"{path}.image", f"is {shown(image)}; a name such as registry/folder/image:tag is needed")
    return image


def _expanded(tree: Mapping[str, Tree], field_name: str, known: Expansion, path: str) -> tuple[str, ...] | None:
    where = f"{path}.{field_name}"
    found = words(tree.get(field_name), where)
    if found is None:
        return None
    places = [f"{where}[{i}]" for i in range(len(found))]
    return tuple(short_enough(known.expand(word, place), place) for word, place in zip(found, places, strict=True))


def _pull_policy(tree: Mapping[str, Tree], path: str) -> PullPolicy | None:
    policy = text(tree.get("imagePullPolicy"), f"{path}.imagePullPolicy")
    if not policy:
        return None
    if policy not in [each.value for each in PullPolicy]:
        allowed = ", ".join(each.value for each in PullPolicy)
        raise TemplateError(f"{path}.imagePullPolicy", f"is {shown(policy)}; use one of {allowed}")
    return PullPolicy(policy)
