"""From a file of a repository to its templates."""

from collections.abc import Mapping

from mooring.templates.errors import TemplateError
from mooring.templates.executable_template import SERVING, WORKFLOW, ExecutableTemplate
from mooring.templates.serving_template import read_serving_template
from mooring.templates.trees import Tree, mapping, text
from mooring.templates.workflow_template import read_workflow_template
from mooring.templates.yaml_documents import read

_READERS = {
    ("ai.sap.com", SERVING): read_serving_template,
    ("argoproj.io", WORKFLOW): read_workflow_template,
}


def read_templates(content: bytes) -> list[tuple[Mapping[str, Tree], ExecutableTemplate | TemplateError]]:
    """Per document of a file that is a template: the document, and the template or what is wrong with it.

    Documents of other kinds (a Service, a values file) are none of ours. Raises TemplateError when the file cannot be
    read at all.
    """
    try:
        documents = read(content.decode())
    except UnicodeDecodeError:
        raise TemplateError("", "is no text in UTF-8") from None
    return [(document, _read(document)) for document in documents if isinstance(document, dict) and _is_ours(document)]


def name_of(document: Mapping[str, Tree]) -> str:
    """What a document calls itself, as far as it can be read."""
    try:
        return text(mapping(document.get("metadata"), "metadata").get("name"), "metadata.name") or ""
    except TemplateError:
        return ""


def kind_of(document: Mapping[str, Tree]) -> str:
    """`ServingTemplate` or `WorkflowTemplate`."""
    return _texts(document)[1]


def _is_ours(document: Mapping[str, Tree]) -> bool:
    return _texts(document) in _READERS


def _texts(document: Mapping[str, Tree]) -> tuple[str, str]:
    try:
        version, kind = (text(document.get(name), name) or "" for name in ("apiVersion", "kind"))
    except TemplateError:
        return "", ""
    return version.partition("/")[0], kind


def _read(document: Mapping[str, Tree]) -> ExecutableTemplate | TemplateError:
    try:
        return _READERS[_texts(document)](document)
    except TemplateError as error:
        return error
