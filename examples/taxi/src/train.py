"""Learns how long a taxi takes: reads every CSV file of /app/data, writes the model to /app/model."""

import csv
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import joblib
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split

DATA, MODEL = Path("/app/data"), Path("/app/model")
COLUMNS = ("distance_km", "hour", "weekday")


def main() -> None:
    rows = [row for path in sorted(DATA.glob("*.csv")) for row in csv.DictReader(path.open())]
    if not rows:
        sys.exit(f"no CSV file with rows in {DATA}: bind an artifact to the input 'trips'")
    print(f"{len(rows)} trips", flush=True)
    features = [[float(row[name]) for name in COLUMNS] for row in rows]
    minutes = [float(row["minutes"]) for row in rows]
    train_x, test_x, train_y, test_y = train_test_split(features, minutes, test_size=0.25, random_state=7)
    model = GradientBoostingRegressor(n_estimators=int(os.environ["TREES"]), random_state=7).fit(train_x, train_y)
    error = mean_absolute_error(test_y, model.predict(test_x))
    print(f"mean absolute error: {error:.2f} minutes", flush=True)
    report("mean_absolute_error", error)
    MODEL.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, MODEL / "model.joblib")
    (MODEL / "columns.json").write_text(json.dumps(COLUMNS))
    print("the model is written", flush=True)


def report(name: str, value: float) -> None:
    """To the platform that runs this, if one does: `GET /v2/lm/metrics` shows it."""
    if "AICORE_TRACKING_ENDPOINT" not in os.environ:
        return
    from ai_core_sdk.models import Metric
    from ai_core_sdk.tracking import Tracking

    Tracking().log_metrics(metrics=[Metric(name=name, value=value, timestamp=datetime.now(UTC))])


if __name__ == "__main__":
    main()
