"""One file per protocol: bytes to an `Inference`, a prediction to bytes, an error to bytes. No behaviour."""
