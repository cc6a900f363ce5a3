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
