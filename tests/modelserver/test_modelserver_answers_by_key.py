"""Where a run holds features, the model is asked by key, with the contract's own columns."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

from mooring.modelserver.by_key.contract import BadFeatures, read_contract
from mooring.modelserver.by_key.question import largest, model_input
from mooring.modelserver.by_key.records import read_records
from mooring.modelserver.errors import LoadFailed
from mooring.modelserver.schema import Signature

if TYPE_CHECKING:
    from tests.modelserver.conftest import InProcess

Server = Callable[..., "InProcess"]

CONTRACT = """
tgt_col: label
idx_cols: [patient_id]
time_order_col: visit
feat_cols: [age, 'bm.', gender]
test:
  tgt_file: {DATA_DIR}/y_test.csv
  feat_file: "{DATA_DIR}/X_test.csv"
category_map:
  gender: [F, M]
normal_values: {bmi: 25}
"""
# Patient 002 has two visits, the later one first in the file and without a weight; 9 has no target, 003 no features.
FEATURES = """patient_id,visit,gender,bmi,age,unused
001,1,F,20.5,30,x
002,2,M,,61,x
002,1,M,31,60,x
9,1,M,30,60,x
004,1,F,,20,x
"""
TARGETS = "patient_id,label\n004,0\n001,0\n002,1\n003,1\n"


def write_features(folder: Path, contract: str = CONTRACT, features: str = FEATURES, targets: str = TARGETS) -> Path:
    """A folder as lightsaber registers it."""
    folder.mkdir(exist_ok=True)
    (folder / "My_Model.yaml").write_text(contract)
    (folder / "X_test.csv").write_text(features)
    (folder / "y_test.csv").write_text(targets)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.uniform(20, 90, 80), "bmi": rng.normal(25, 3, 80)})
    frame["gender_F"] = rng.integers(0, 2, 80)
    frame["gender_M"] = 1 - frame["gender_F"]
    fitted = LogisticRegression(max_iter=1000).fit(frame, (frame["age"] > 45).astype(int))
    path = tmp_path_factory.mktemp("keyed") / "model"
    signature = infer_signature(frame, fitted.predict(frame))
    mlflow.sklearn.save_model(fitted, str(path), signature=signature, pip_requirements=[])
    return path


@pytest.fixture(scope="module")
def server(model: Path, ours: Server, tmp_path_factory: pytest.TempPathFactory) -> "InProcess":
    return ours(model, features=str(write_features(tmp_path_factory.mktemp("run") / "features")))


def _ask(server: "InProcess", body: Any) -> Any:
    return server.post("/m/api/v1/model/predict", json.dumps(body).encode())


def test_a_key_is_answered_as_the_model_answers_its_features(server: "InProcess") -> None:
    for key, rows in (("001", [[30, 20.5, 1, 0]]), ("002", [[60, 31, 0, 1], [61, 31, 0, 1]])):
        columns = ["age", "bmi", "gender_F", "gender_M"]
        direct = server.post(
            "/invocations", json.dumps({"dataframe_split": {"columns": columns, "data": rows}}).encode()
        ).json()["predictions"]
        answer = _ask(server, {"patient_id": key})
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "patient_id": key, "predicted_values": direct, "predicted_max_value": max(direct)
        }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"patient_id": "zz"}, 404, "there are no features for patient_id 'zz'"),
        ({"patient_id": "1"}, 404, "no features"),  # not 001
        ({"patient_id": "003"}, 404, "no features"),
        ({"patient_id": "9"}, 404, "no features"),
        ({"patient_id": 9}, 404, "no features"),
        ({}, 400, "the body must have the key 'patient_id', a string or a whole number: it is missing"),
        ({"patient_id": 1.5}, 400, "got 1.5"),
        ({"patient_id": True}, 400, "got true"),
        ({"patient_id": ["001"]}, 400, 'got ["001"]'),
        ([], 400, "must be a JSON object"),
    ],
)
def test_wrong_keys_are_refused_by_name(server: "InProcess", body: Any, status: int, message: str) -> None:
    answer = _ask(server, body)
    assert (answer.status_code, answer.json().keys()) == (status, {"error_code", "message"})
    assert message in answer.json()["message"]


def test_the_dataset_lists_the_keys_that_can_be_asked(server: "InProcess") -> None:
    whole = server.get("/m/api/v1/model/dataset")
    assert whole.headers["content-type"] == "text/csv"
    assert whole.text == "patient_id,label\n004,0\n001,0\n002,1\n"
    for line in whole.text.splitlines()[1:]:
        assert _ask(server, {"patient_id": line.partition(",")[0]}).status_code == 200


def test_the_dataset_is_paged(server: "InProcess") -> None:
    page = server.get("/m/api/v1/model/dataset?limit=2&offset=1")
    assert page.text == "patient_id,label\n001,0\n002,1\n"
    assert page.headers["x-total-count"] == "3"
    assert "link" not in page.headers
    assert server.get("/api/v1/model/dataset?limit=1").headers["link"] == '<?limit=1&offset=1>; rel="next"'
    for wrong in ("limit=0", "limit=10001", "offset=-1", "limit=x", "offset=" + "9" * 30):
        assert server.get(f"/api/v1/model/dataset?{wrong}").status_code == 400, wrong


def test_the_document_tells_of_keys(server: "InProcess") -> None:
    document = server.get("/m/api/openapi.json").json()
    body = document["paths"]["/api/v1/model/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["properties"] == {"patient_id": {"type": "string", "example": "004"}}
    assert "/api/v1/model/dataset" in document["paths"]


def test_a_model_whose_features_do_not_fit_is_not_served(model: Path, ours: Server, tmp_path: Path) -> None:
    features = write_features(tmp_path / "f", CONTRACT.replace("[age, ", "["))
    with pytest.raises(LoadFailed, match=r"its features: .*age"):
        ours(model, features=str(features))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contract": "[1, 2]"}, "My_Model.yaml is not a mapping"),
        ({"contract": "a: [}"}, "My_Model.yaml cannot be read"),
        ({"contract": "tgt_col: label"}, "idx_cols must name"),
        ({"contract": "idx_cols: nobody"}, "has no column nobody"),
        ({"contract": "idx_cols: patient_id\nfeat_cols: ['(']"}, "no regular expression either"),
        ({"contract": "idx_cols: patient_id\nfeat_cols: [height]"}, "none of feat_cols is a column"),
        ({"contract": "idx_cols: patient_id\ncategory_map: {gender: 3}"}, "category_map.gender must list values"),
        ({"contract": "idx_cols: patient_id\ncategory_map: {gender: [[a]]}"}, "category_map.gender must list values"),
        ({"contract": "idx_cols: patient_id\ntest: 7"}, "test must be a mapping"),
        ({"contract": "idx_cols: patient_id\ntest: {feat_file: [a]}"}, "test.feat_file must be the name of a file"),
        ({"contract": f"idx_cols: {'9' * 5000}"}, "My_Model.yaml cannot be read"),
        ({"targets": "patient_id,label\n77,1\n"}, "no key of y_test.csv has rows in X_test.csv"),
        ({"features": ""}, "X_test.csv cannot be read"),
    ],
)
def test_a_broken_contract_is_named(tmp_path: Path, change: dict[str, str], message: str) -> None:
    folder = write_features(tmp_path / "f", **change)
    with pytest.raises(BadFeatures, match=message.replace("(", r"\(")):
        read_records(folder, read_contract(folder, "my-model-version-3"))


def test_the_contract_of_the_models_name_is_taken_of_several(tmp_path: Path) -> None:
    folder = write_features(tmp_path / "f")
    (folder / "other.yaml").write_text("idx_cols: b")
    assert read_contract(folder, "my-model-version-3").index == ("patient_id",)
    with pytest.raises(BadFeatures, match=r"one contract is needed, as third.yaml; there is My_Model.yaml, other.yaml"):
        read_contract(folder, "third")


def test_a_path_in_the_contract_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(FEATURES)
    folder = write_features(tmp_path / "f", CONTRACT.replace("{DATA_DIR}/X_test.csv", "../secret.csv"))
    (folder / "X_test.csv").unlink()
    with pytest.raises(BadFeatures, match=r"secret\.csv is missing"):
        read_records(folder, read_contract(folder, "m"))


def test_a_category_stays_whole_where_the_signature_names_it(tmp_path: Path) -> None:
    folder = write_features(tmp_path / "f")
    contract = read_contract(folder, "m")
    assert list(read_records(folder, contract).features) == ["age", "bmi", "gender_F", "gender_M"]
    assert list(read_records(folder, contract, ["age", "bmi", "gender"]).features) == ["age", "bmi", "gender"]


def test_a_model_of_sequences_gets_one_sequence() -> None:
    rows = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})

    def signature(shape: list[int]) -> Signature:
        tensor = {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": shape}}
        return Signature.parse({"inputs": json.dumps([tensor])})

    assert model_input(rows, signature([-1, 2])).data == [[1, 3], [2, 4]]
    assert model_input(rows, signature([-1, -1, 2])).data == [[[1, 3], [2, 4]]]


def test_the_largest_is_a_class_where_there_are_scores() -> None:
    assert largest(np.array([[0.1, 0.7, 0.2]])) == 1
    assert largest(np.array([[0.1, 0.7], [0.1, 0.9]])) == 1
    assert largest([0, 1, 0]) == 1
    assert largest(np.array([[0.25]])) == 0.25
    assert largest(["yes"]) is None
    assert largest([]) is None
