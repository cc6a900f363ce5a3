"""A file can neither make us build objects nor cost more than a moment."""

import time

import pytest

from mooring.templates.errors import TemplateError
from mooring.templates.files import read_templates
from mooring.templates.yaml_documents import read

_LAYERS = "\n".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]" for i in range(9))
BOMBS = {
    "aliases": f"a: &a [x,x,x,x,x,x,x,x,x]\n{_LAYERS}",
    "itself": "a: &a [*a]",
    "depth": "a: " + "[" * 5000 + "]" * 5000,
    "depth that fills a stack": "[" * 1_000_000,
    "blocks that fill a stack": "- " * 500_000,
    "maps that fill a stack": "{a: " * 250_000,
    "one long value, often": f"a: &a {'x' * 900_000}\nb: [{','.join(['*a'] * 30_000)}]",
    "one long placeholder, often": f"a: &a '{{{{{'x' * 900_000}}}}}'\nb: [{','.join(['*a'] * 30_000)}]",
    "maps": "{a: " * 200 + "1" + "}" * 200,
    "length": "a: " + "x" * 2_000_000,
    "items": "a: [" + "1," * 400_000 + "]",
    "object": "a: !!python/object/apply:os.system ['id']",
    "tag": "a: !secret x",
    "duplicate": "a: 1\na: 2",
    "merge": "a: &a {b: 1}\nc:\n  <<: *a",
    "key": "? [a, b]\n: 1",
    "binary": "a: !!binary aGk=",
    "nothing": "a: [",
    "tab": "a:\n\t- b",
    "control": "a: \x07",
    "zero": 'a: "\\0"',
    "zero in a key": '"\\0": a',
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_file_is_refused_in_a_moment(name: str) -> None:
    started = time.process_time()
    with pytest.raises(TemplateError):
        read(BOMBS[name])
    assert time.process_time() - started < 5


def test_an_error_says_where() -> None:
    with pytest.raises(TemplateError, match="line 2, column 1 is the second 'a' in its mapping"):
        read(BOMBS["duplicate"])
    with pytest.raises(TemplateError, match="cannot be read as YAML: line 2, column 1"):
        read("a: 'x\n")


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(TemplateError, match="UTF-8"):
        read_templates(b"\xff\xfe\x00")


@pytest.mark.parametrize("text", ["", "---", "# only a comment", "null", "[]", "5", "--- a\n--- b"])
def test_a_file_without_templates_is_none(text: str) -> None:
    assert read_templates(text.encode()) == []


_HEAD = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: hostile, labels: {scenarios.ai.sap.com/id: hostile, ai.sap.com/version: "1"}}
spec:
  entrypoint: main
  templates:
"""
_WORK = "  - {name: work, container: {image: x, command: [x]}}\n"
WORKFLOWS = {
    "chain": "  - name: main\n    dag:\n      tasks:\n"
    + "".join(f"      - {{name: t{i}, template: work, dependencies: [t{max(0, i - 1)}]}}\n" for i in range(1, 6000)),
    "mesh": "  - name: main\n    dag:\n      tasks:\n      - {name: t0, template: work}\n"
    + "".join(
        f"      - {{name: t{i}, template: work, depends: {' && '.join(f't{j}' for j in range(i))}}}\n"
        for i in range(1, 400)
    )
    + "      - {name: last, template: work, when: '{{tasks.x.status}} == y'}\n",
    "inputs": "  - name: main\n    inputs: {parameters: ["
    + ", ".join(f"{{name: p{i}}}" for i in range(10_000))
    + "]}\n    container: {image: x, command: [x]}\n",
    "condition": "  - name: main\n    steps: [[{name: a, template: work, when: '" + "(" * 500_000 + "'}]]\n",
    "operators": "  - name: main\n    steps: [[{name: a, template: work, when: '" + "!" * 4_000 + "x'}]]\n",
    "items": "  - name: main\n    steps: [[{name: a, template: work, withItems: [" + "1, " * 20_000 + "1]}]]\n",
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_hostile_workflow_is_refused_in_a_moment(name: str) -> None:
    text = (_HEAD + WORKFLOWS[name] + _WORK).encode()
    started = time.process_time()
    ((_, found),) = read_templates(text)
    assert isinstance(found, TemplateError)
    assert time.process_time() - started < 5
