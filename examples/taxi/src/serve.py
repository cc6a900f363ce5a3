"""Answers how long a taxi takes, with the model that lies in /mnt/models."""

import os
from pathlib import Path

import joblib
from fastapi import FastAPI
from pydantic import BaseModel, Field

model = joblib.load(Path("/mnt/models/model.joblib"))
app = FastAPI(title="Taxi trips", docs_url="/v2/docs", openapi_url="/v2/openapi.json")


class Trip(BaseModel):
    """One trip; weekday 0 is Monday."""

    distance_km: float = Field(gt=0, le=500)
    hour: int = Field(ge=0, le=23)
    weekday: int = Field(ge=0, le=6)


@app.get("/v2/ready")
def ready() -> dict[str, str]:
    return {"status": "ready"}


@app.post("/v2/predict")
def predict(trip: Trip) -> dict[str, object]:
    minutes = float(model.predict([[trip.distance_km, trip.hour, trip.weekday]])[0])
    return {"minutes": round(minutes, 1), "greeting": os.environ["GREETING"]}
