"""The fields of a workflow template that have an effect (Argo's, as far as the AI API's users need them)."""

from mooring.templates.containers import CONTAINER, POD_PLACEMENT, POD_RIGHTS, VOLUMES
from mooring.templates.fields import Fields, ListOf

_LATER = "is not offered here"
_PULL_SECRETS = ListOf(Fields({"name": None}))

_INPUTS = Fields(
    {
        "parameters": ListOf(Fields({"name": None, "value": None, "default": None, "description": None, "enum": None})),
        "artifacts": ListOf(
            Fields(
                {"name": None, "path": None, "optional": None, "archive": None, "mode": None},
                refused=dict.fromkeys(("s3", "gcs", "azure", "oss", "http", "git", "raw"), "bind an artifact instead"),
            )
        ),
    }
)
_OUTPUTS = Fields(
    {
        "parameters": ListOf(
            Fields(
                {
                    "name": None,
                    "globalName": None,
                    "valueFrom": Fields(
                        {"path": None, "default": None, "parameter": None},
                        refused={"expression": "use parameter"},
                    ),
                }
            )
        ),
        "artifacts": ListOf(
            Fields(
                {"name": None, "path": None, "globalName": None, "archive": None, "optional": None, "from": None},
                refused={"fromExpression": "use from"},
            )
        ),
        "exitCode": None,
        "result": None,
    }
)
_ARGUMENTS = Fields(
    {
        "parameters": ListOf(Fields({"name": None, "value": None})),
        "artifacts": ListOf(Fields({"name": None, "from": None, "optional": None})),
    }
)
_CALL = {
    "name": None,
    "template": None,
    "arguments": _ARGUMENTS,
    "when": None,
    "withItems": None,
    "continueOn": Fields({"failed": None, "error": None}),
}
_NOT_IN_CALLS = {
    "templateRef": "templates of other files cannot be called: put it into this one",
    "inline": "give the template a name",
    "withParam": "use withItems",
    "withSequence": "use withItems",
    "hooks": _LATER,
    "onExit": _LATER,
}
_STEP = Fields(_CALL, refused=_NOT_IN_CALLS)
_TASK = Fields({**_CALL, "dependencies": None, "depends": None}, refused=_NOT_IN_CALLS)

_RETRY = Fields(
    {
        "limit": None,
        "retryPolicy": None,
        "backoff": Fields({"duration": None, "factor": None, "maxDuration": None, "cap": None}),
    },
    refused={"expression": _LATER},
)
_SCRIPT = Fields({**CONTAINER.known, "source": None}, CONTAINER.refused, CONTAINER.without_effect)
_OTHER_KINDS = ("resource", "suspend", "http", "data", "plugin", "containerSet")

TEMPLATE = Fields(
    {
        "name": None,
        "metadata": Fields({"labels": None, "annotations": None}),
        "inputs": _INPUTS,
        "outputs": _OUTPUTS,
        "container": CONTAINER,
        "script": _SCRIPT,
        # Steps are lists of lists; each is checked by `workflow_template`.
        "steps": None,
        "dag": Fields({"tasks": ListOf(_TASK), "failFast": None}, refused={"target": _LATER}),
        "volumes": VOLUMES,
        "retryStrategy": _RETRY,
        "activeDeadlineSeconds": None,
        "imagePullSecrets": _PULL_SECRETS,
        "securityContext": Fields({"runAsUser": None, "runAsGroup": None, "runAsNonRoot": None, "fsGroup": None}),
    },
    refused={
        **POD_RIGHTS,
        **dict.fromkeys(_OTHER_KINDS, "container, script, steps and dag are offered"),
        **dict.fromkeys(("sidecars", "initContainers"), "only the one container of a step runs"),
        **dict.fromkeys(("synchronization", "memoize", "daemon", "hooks", "plugin"), _LATER),
    },
    without_effect=POD_PLACEMENT,
)
STEP = _STEP

SPEC = Fields(
    {
        "entrypoint": None,
        "arguments": Fields(
            {"parameters": None}, refused={"artifacts": "declare inputs in the template that uses them"}
        ),
        "templates": ListOf(TEMPLATE),
        "volumes": VOLUMES,
        "imagePullSecrets": _PULL_SECRETS,
        "activeDeadlineSeconds": None,
        "securityContext": Fields({"runAsUser": None, "runAsGroup": None, "runAsNonRoot": None, "fsGroup": None}),
    },
    refused={
        **POD_RIGHTS,
        "volumeClaimTemplates": "only emptyDir and secret volumes are offered",
        "workflowTemplateRef": "put the templates into this file",
        **dict.fromkeys(("onExit", "hooks", "synchronization", "templateDefaults", "schedules", "suspend"), _LATER),
    },
    without_effect={
        **POD_PLACEMENT,
        **dict.fromkeys(
            ("podGC", "ttlStrategy", "archiveLogs", "podMetadata", "workflowMetadata", "priority", "metrics"),
            "has no effect: executions and their logs are kept until they are deleted",
        ),
    },
)
