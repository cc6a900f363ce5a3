"""The fields of a container in a template, serving or workflow."""

from mooring.templates.fields import Fields, ListOf

_HANDLER = {
    "httpGet": Fields({"path": None, "port": None, "scheme": None, "httpHeaders": None}),
    "tcpSocket": Fields({"port": None}),
    "exec": Fields({"command": None}),
    "grpc": Fields({"port": None, "service": None}),
}
PROBE = Fields(
    {
        **_HANDLER,
        "initialDelaySeconds": None,
        "periodSeconds": None,
        "timeoutSeconds": None,
        "successThreshold": None,
        "failureThreshold": None,
        "terminationGracePeriodSeconds": None,
    }
)

_REFERENCE = {"name": None, "key": None, "optional": None}
_NO_CLUSTER = "there is no cluster object to take it from: use a generic secret, or a parameter"
ENVIRONMENT = ListOf(
    Fields(
        {
            "name": None,
            "value": None,
            "valueFrom": Fields(
                {"secretKeyRef": Fields(_REFERENCE)},
                refused={"configMapKeyRef": _NO_CLUSTER, "fieldRef": _NO_CLUSTER, "resourceFieldRef": _NO_CLUSTER},
            ),
        }
    )
)
ENVIRONMENT_FROM = ListOf(
    # `name` beside an empty `secretRef` is how the documentation's samples are indented.
    Fields({"prefix": None, "secretRef": Fields(_REFERENCE), "name": None}, refused={"configMapRef": _NO_CLUSTER})
)

_OWNER_OF_NODE = "it would give the container rights on the node"
SECURITY = Fields(
    {"runAsUser": None, "runAsGroup": None, "runAsNonRoot": None, "readOnlyRootFilesystem": None, "fsGroup": None},
    refused={
        "privileged": _OWNER_OF_NODE,
        "allowPrivilegeEscalation": _OWNER_OF_NODE,
        "procMount": _OWNER_OF_NODE,
        "seLinuxOptions": _OWNER_OF_NODE,
        "windowsOptions": _OWNER_OF_NODE,
        "sysctls": _OWNER_OF_NODE,
    },
    without_effect={
        "capabilities": "has no effect: containers have none",
        "seccompProfile": "has no effect: the runtime's own profile holds",
        "appArmorProfile": "has no effect: the runtime's own profile holds",
    },
)

CONTAINER = Fields(
    {
        "name": None,
        "image": None,
        "imagePullPolicy": None,
        "command": None,
        "args": None,
        "workingDir": None,
        "ports": ListOf(Fields({"containerPort": None, "name": None, "protocol": None})),
        "env": ENVIRONMENT,
        "envFrom": ENVIRONMENT_FROM,
        "volumeMounts": ListOf(Fields({"name": None, "mountPath": None, "readOnly": None, "subPath": None})),
        "resources": Fields({"limits": None, "requests": None}),
        "readinessProbe": PROBE,
        "livenessProbe": PROBE,
        "startupProbe": PROBE,
        "securityContext": SECURITY,
    },
    refused={"volumeDevices": _OWNER_OF_NODE},
    without_effect={
        "lifecycle": "has no effect: there are no hooks at the start and the end of a container",
        "terminationMessagePath": "has no effect: the last lines of the log are the message",
        "terminationMessagePolicy": "has no effect: the last lines of the log are the message",
        "stdin": "has no effect: nobody can type there",
        "tty": "has no effect: nobody can type there",
    },
)

_OTHER_VOLUMES = (
    *("hostPath", "configMap", "persistentVolumeClaim", "projected", "downwardAPI", "csi", "nfs", "iscsi", "ephemeral"),
    *("flexVolume", "cephfs", "glusterfs", "rbd", "fc", "local", "image", "gitRepo"),
)
VOLUMES = ListOf(
    Fields(
        {
            "name": None,
            "emptyDir": Fields({"sizeLimit": None, "medium": None}),
            "secret": Fields({"secretName": None, "optional": None, "items": None, "defaultMode": None}),
        },
        refused=dict.fromkeys(_OTHER_VOLUMES, "only emptyDir and secret volumes are offered"),
    )
)

_RIGHTS = (
    *("hostNetwork", "hostPID", "hostIPC", "hostUsers", "hostAliases", "serviceAccountName", "serviceAccount"),
    *("automountServiceAccountToken", "shareProcessNamespace", "runtimeClassName", "podSpecPatch", "nodeName"),
)
POD_RIGHTS = dict.fromkeys(_RIGHTS, "it would give rights on the node, or the platform's own identity")
"""Fields of a pod that no template may set."""

_PLACEMENT = ("nodeSelector", "affinity", "tolerations", "topologySpreadConstraints", "priorityClassName")
POD_PLACEMENT = dict.fromkeys(_PLACEMENT, "has no effect: where something runs follows from its resource plan")
