"""A container of a template becomes what is run, as Kubernetes would read it."""

import time

import pytest

from mooring.domain.containers import AllOfSecret, Container, PullPolicy, SecretKey, Variable, Volume
from mooring.templates.container_rendering import Pod, pull_secrets, render_container, resource_plan
from mooring.templates.errors import TemplateError
from mooring.templates.trees import Scalar, mapping, sequence
from mooring.templates.yaml_documents import read_one


def _render(fields: str, pod: Pod | None = None) -> Container:
    tree = mapping(read_one("image: example/x:1\n" + fields, path=""), "")
    return render_container(tree, pod or Pod(), path="containers[0]")


def _pod(volumes: str = "[]", security: str = "{}") -> Pod:
    return Pod(volumes=sequence(read_one(volumes, path=""), ""), security=mapping(read_one(security, path=""), ""))


def test_what_is_not_said_is_left_to_the_image() -> None:
    assert _render("") == Container(image="example/x:1", resource_plan="starter")
    assert _render("command: []\nargs:\nenv:\nvolumeMounts:\nimagePullPolicy: ''") == _render("")


@pytest.mark.parametrize(
    "field",
    [
        "envFrom: [{secretRef: {name: s}}]",
        "envFrom:\n- secretRef:\n  name: s",  # as in the documentation's samples
        "envFrom: [{secretRef: {name: s, optional: 'false'}}]",
    ],
)
def test_all_of_a_secret(field: str) -> None:
    assert _render(field).from_secrets == (AllOfSecret("s"),)


def test_one_key_of_a_secret() -> None:
    field = "env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}}]"
    assert _render(field).variables == (Variable("A", secret=SecretKey("s", "k", optional=True)),)


def test_of_two_variables_with_one_name_the_later_one_counts() -> None:
    found = _render("env: [{name: A, value: 1}, {name: B, value: $(A)}, {name: A, value: 2}]\nargs: [$(A)]")
    assert found.variables == (Variable("B", "1"), Variable("A", "2"))
    assert found.args == ("2",)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("$(A)", "a"),
        ("x$(A)y$(A)", "xaya"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$a"),
        ("$$", "$"),
        ("$A ${A} $", "$A ${A} $"),
        ("$(B)", "$(B)"),
        ("$(date +%s)", "$(date +%s)"),
        ("$(A", "$(A"),
        ("$()", "$()"),
    ],
)
def test_variables_are_put_into_other_texts(written: str, meant: str) -> None:
    found = _render(f"env: [{{name: A, value: a}}, {{name: T, value: '{written}'}}]\nargs: ['{written}']")
    assert found.args == (meant,)
    assert found.variables[1].value == meant


def test_what_was_put_in_is_not_looked_at_again() -> None:
    assert _render("env: [{name: A, value: $$(A)}]\nargs: [$(A)]").args == ("$(A)",)


@pytest.mark.parametrize("field", ["args: [-p, $(P)]", "command: [x$(P)]", "volumeMounts: []\nargs: ['$(P)']"])
def test_no_secret_gets_into_a_command_line(field: str) -> None:
    with pytest.raises(TemplateError, match=r"\$\(P\), which is a secret's value"):
        _render(f"env: [{{name: P, valueFrom: {{secretKeyRef: {{name: s, key: k}}}}}}]\n{field}")


def test_variables_that_multiply_are_refused_in_a_moment() -> None:
    bombs = [
        [f"{{name: A{i}, value: '$(A{i - 1})$(A{i - 1})'}}" for i in range(1, 200)],
        ["{name: B, value: '" + "$(A0)" * 50_000 + "'}"],
    ]
    for bomb in bombs:
        started = time.process_time()
        with pytest.raises(TemplateError, match=r"comes to more than 1000000 characters|is longer than"):
            _render(f"env: [{{name: A0, value: {'a' * 5000}}}, {', '.join(bomb)}]\nargs: [{'$(A0), ' * 200}]")
        assert time.process_time() - started < 2


def test_references_that_never_end_cost_little() -> None:
    text = "$(" * 400_000
    started = time.process_time()
    with pytest.raises(TemplateError, match="is longer than"):
        render_container({"image": Scalar("x"), "args": [Scalar(text)]}, Pod(), path="c")
    assert time.process_time() - started < 3


@pytest.mark.parametrize("path", ["/a" * 100, "/" + "a" * 300, "/" + "/".join(["a" * 200] * 10)])
def test_a_path_that_no_folder_can_hold_is_refused(path: str) -> None:
    with pytest.raises(TemplateError, match=r"workingDir: is .* which is too long"):
        _render(f"workingDir: {path}")


def test_mounts_and_items_are_bounded() -> None:
    mounts = ", ".join(f"{{name: v, mountPath: /m{number}}}" for number in range(101))
    with pytest.raises(TemplateError, match="volumeMounts: has 101 entries; 100 are allowed"):
        _render(f"volumeMounts: [{mounts}]", _pod("[{name: v, emptyDir: {}}]"))
    items = ", ".join(f"{{key: k, path: p{number}}}" for number in range(201))
    with pytest.raises(TemplateError, match="items: has 201 entries; 200 are allowed"):
        _render(
            "volumeMounts: [{name: v, mountPath: /m}]",
            _pod(f"[{{name: v, secret: {{secretName: s, items: [{items}]}}}}]"),
        )


def test_volumes_are_mounted_where_they_are_wanted() -> None:
    pod = _pod("[{name: v, emptyDir: {medium: Memory}}, {name: s, secret: {secretName: k, optional: true}}]")
    mounts = "volumeMounts: [{name: v, mountPath: /a/./b//}, {name: s, mountPath: /s}, {name: v, mountPath: /dev/shm}]"
    assert _render(mounts, pod).volumes == (
        Volume("/a/b", "v"),
        Volume("/s", "s", secret="k", optional=True, read_only=True),
        Volume("/dev/shm", "v"),
    )
    with pytest.raises(TemplateError, match=r"volumeMounts\[1\].mountPath: is '/a', where something is mounted"):
        _render("volumeMounts: [{name: v, mountPath: /a}, {name: s, mountPath: /a/}]", pod)


@pytest.mark.parametrize("path", ["/", "//", "/.", "/proc", "/proc/1", "/sys", "/dev", "/dev/sda", "/dev/shm/x"])
def test_nothing_is_mounted_over_the_system(path: str) -> None:
    with pytest.raises(TemplateError, match="belongs to the system"):
        _render(f"volumeMounts: [{{name: v, mountPath: '{path}'}}]", _pod("[{name: v, emptyDir: {}}]"))


@pytest.mark.parametrize("path", ["..", "/..", "/a/../../b", "a", "/a:b", "/a\\b", '/a"\n"b', "/a\x00b", "/a\tb"])
def test_no_path_leads_out_of_the_container(path: str) -> None:
    tree = {"image": Scalar("x"), "workingDir": Scalar(path)}
    with pytest.raises(TemplateError, match="workingDir: is"):
        render_container(tree, Pod(), path="c")


@pytest.mark.parametrize(
    "image", ["-v", "--privileged", "a b", "a\nb", "$(x)", "a;b", "/etc/passwd", "é", "a" * 600, "http://{x}"]
)
def test_an_image_is_a_name_and_nothing_else(image: str) -> None:
    with pytest.raises(TemplateError, match=r"c.image: is "):
        render_container({"image": Scalar(image)}, Pod(), path="c")


@pytest.mark.parametrize("image", ["x", "a/b:1", "reg.example.com:5000/a/b@sha256:0a", "A_b/c-d.e:V1.0"])
def test_names_of_images(image: str) -> None:
    assert render_container({"image": Scalar(image)}, Pod(), path="c").image == image


@pytest.mark.parametrize(
    ("pod", "container", "user", "group"),
    [
        ("{}", "{}", None, None),
        ("{runAsUser: 5, runAsGroup: 6}", "{}", 5, 6),
        ("{runAsUser: 5, runAsGroup: 6}", "{runAsUser: '7'}", 7, 6),
        ("{runAsGroup: 0}", "{runAsUser: 1000}", 1000, 0),
    ],
)
def test_the_container_has_the_last_word_on_its_user(
    pod: str, container: str, user: int | None, group: int | None
) -> None:
    found = _render(f"securityContext: {container}", _pod(security=pod))
    assert (found.user, found.group) == (user, group)


@pytest.mark.parametrize("user", ["0", "'0'", "00"])
def test_nothing_runs_as_root(user: str) -> None:
    for pod, field in (("{}", f"securityContext: {{runAsUser: {user}}}"), (f"{{runAsUser: {user}}}", "")):
        with pytest.raises(TemplateError, match="containers do not run as root"):
            _render(field, _pod(security=pod))


def test_some_other_fields() -> None:
    found = _render("imagePullPolicy: Never\nsecurityContext: {readOnlyRootFilesystem: true}\nworkingDir: /a/")
    assert (found.pull_policy, found.read_only_root, found.working_dir) == (PullPolicy.NEVER, True, "/a")


def test_resource_plans() -> None:
    assert resource_plan({}) == "starter"
    assert resource_plan({"ai.sap.com/resourcePlan": Scalar("basic")}) == "basic"
    assert resource_plan({"ai.sap.com/instanceType": Scalar("train.l")}) == "train.l"
    with pytest.raises(
        TemplateError, match=r"metadata.labels.ai.sap.com/resourcePlan: is 'serve.s'; use one of starter"
    ):
        resource_plan({"ai.sap.com/resourcePlan": Scalar("serve.s")})


def test_pull_secrets_are_named_once() -> None:
    places = [mapping(read_one(f"imagePullSecrets: {names}", path=""), "") for names in ("[{name: a}]", "[{name: b}]")]
    assert pull_secrets((places[0], "x"), ({}, "y"), (places[1], "z"), (places[0], "x")) == ("a", "b")
    with pytest.raises(TemplateError, match=r"x.imagePullSecrets\[0\].name: is required"):
        pull_secrets((mapping(read_one("imagePullSecrets: [{}]", path=""), ""), "x"))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            f"args: [{'x' * 200_000}]",
            r"args\[0\]: is longer than the \d+ bytes that a program can be given: pass large",
        ),
        (f"command: [a, {'é' * 70_000}]", r"command\[1\]: is longer than"),
        (f"env: [{{name: A, value: {'x' * 200_000}}}]", r"env\[0\]\.value: is longer than"),
        (f"env: [{{name: A, value: {'x' * 70_000}}}]\nargs: [$(A)$(A)]", r"args\[0\]: is longer than"),
        (f"args: [{', '.join('x' * 5000)}]", "args: has 5000 entries; 4000 are allowed"),
        (f"env: [{', '.join(f'{{name: E{i}}}' for i in range(5000))}]", "env: has 5000 entries; 4000 are allowed"),
        (
            f"env: [{{name: A, value: {'é' * 50_000}}}]\nargs: [{', '.join(['$(A)'] * 12)}]",
            "args: comes to more than the 1048576 bytes",
        ),
        (f"env: [{{name: {'A' * 2000}, value: x}}]", "up to 1000 printable characters"),
    ],
)
def test_what_no_program_can_be_given_is_refused_when_it_is_read(fields: str, problem: str) -> None:
    with pytest.raises(TemplateError, match=problem):
        _render(fields)


def test_what_a_program_can_be_given_is_taken() -> None:
    long = "x" * 120_000
    found = _render(f"args: [{long}, {', '.join('x' * 3000)}]\nenv: [{{name: A, value: {long}}}]")
    assert found.args is not None
    assert (found.args[0], len(found.args), found.variables[0].value) == (long, 3001, long)
