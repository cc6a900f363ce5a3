"""The messages of the two gRPC services, described here and made into classes when first asked for.

Not generated from `.proto` files: generated code is tied to one range of versions of its runtime, and enters
everything into one pool of the process, where a model's own code may have put messages of the same names (the client
libraries of Triton and KServe do). These live in a pool of their own. On the wire only numbers and types count; they
are those of `kserve/open-inference-protocol` and of Triton's extensions to it.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

Message = Any
"""An instance of one of these classes; its fields are known at run time only."""

_MODEL = "name:string version:string"
_TENSOR = "name:string datatype:string shape:int64*"
_PARAMETERS = "parameters:{InferParameter}"
_INFERENCE: Mapping[str, str] = {
    "ServerLiveRequest": "",
    "ServerLiveResponse": "live:bool",
    "ServerReadyRequest": "",
    "ServerReadyResponse": "ready:bool",
    "ModelReadyRequest": _MODEL,
    "ModelReadyResponse": "ready:bool",
    "ServerMetadataRequest": "",
    "ServerMetadataResponse": "name:string version:string extensions:string*",
    "ModelMetadataRequest": _MODEL,
    "TensorMetadata": _TENSOR,
    "ModelMetadataResponse": (
        "name:string versions:string* platform:string inputs:TensorMetadata* outputs:TensorMetadata*"
    ),
    "InferParameter": (
        "bool_param:bool? int64_param:int64? string_param:string? double_param:double? uint64_param:uint64?"
    ),
    "InferTensorContents": (
        "bool_contents:bool* int_contents:int32* int64_contents:int64* uint_contents:uint32* uint64_contents:uint64* "
        "fp32_contents:float* fp64_contents:double* bytes_contents:bytes*"
    ),
    "InferTensor": f"{_TENSOR} {_PARAMETERS} contents:InferTensorContents",
    "InferRequestedOutput": f"name:string {_PARAMETERS}",
    "ModelInferRequest": (
        f"model_name:string model_version:string id:string {_PARAMETERS} inputs:InferTensor* "
        "outputs:InferRequestedOutput* raw_input_contents:bytes*"
    ),
    "ModelInferResponse": (
        f"model_name:string model_version:string id:string {_PARAMETERS} outputs:InferTensor* "
        "raw_output_contents:bytes*"
    ),
    # A message travels as bytes do, and this one is serialised already.
    "ModelStreamInferResponse": "error_message:string infer_response:bytes",
    "RepositoryIndexRequest": "repository_name:string ready:bool",
    "ModelIndex": "name:string version:string state:string reason:string",
    "RepositoryIndexResponse": "models:ModelIndex*",
    "HealthCheckRequest": "service:string",
    "HealthCheckResponse": "status:int32",  # an enumeration, which travels as such a number
}
"""Message → its fields, numbered from 1: `*` is repeated, `?` one of a group of which one is there, `{}` a map."""

_TYPES = {
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
    "float": FieldDescriptorProto.TYPE_FLOAT,
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "string": FieldDescriptorProto.TYPE_STRING,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
}
_PACKAGE = "mooring"


@cache
def message(name: str) -> Any:
    """The class of a message."""
    return GetMessageClass(_pool().FindMessageTypeByName(f"{_PACKAGE}.{name}"))


@cache
def _pool() -> DescriptorPool:
    file = FileDescriptorProto(name="mooring/inference.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _INFERENCE.items():
        _describe(file.message_type.add(name=name), fields)
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


def _describe(message: DescriptorProto, fields: str) -> None:
    for number, words in enumerate(fields.split(), start=1):
        name, _, kind = words.partition(":")
        if kind.startswith("{"):
            kind = _map_entry(message, kind.strip("{}")) + "*"
        field = _field(message, number, name, kind.rstrip("*?"))
        if kind.endswith("*"):
            field.label = FieldDescriptorProto.LABEL_REPEATED
        elif kind.endswith("?"):
            if not message.oneof_decl:
                message.oneof_decl.add(name="choice")
            field.oneof_index = 0


def _map_entry(message: DescriptorProto, value: str) -> str:
    """A map is a repeated message of keys and values, marked as such; its full name within the package."""
    entry = message.nested_type.add(name="ParametersEntry")
    entry.options.map_entry = True
    _field(entry, 1, "key", "string")
    _field(entry, 2, "value", value)
    return f"{message.name}.ParametersEntry"


def _field(message: DescriptorProto, number: int, name: str, kind: str) -> FieldDescriptorProto:
    field = message.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
    if kind in _TYPES:
        field.type = _TYPES[kind]
    else:
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    return field
