"""`python -m mooring.artifacts.download URI FOLDER`: MLflow's own downloader, for the stores that we do not read.

Prints the path of what it downloaded. In a process of its own, because MLflow is large and slow to import and brings
its stores' libraries along. Ends when its standard input ends, that is with the one who asked.
"""

import os
import sys
import threading


def _end_with_parent() -> None:
    while os.read(0, 4096):
        continue
    os._exit(3)


def main() -> None:
    """Errors go to standard error, the reason in the last line."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    uri, folder = sys.argv[1:]
    import mlflow.artifacts

    try:
        path = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder)
    except Exception as error:  # noqa: BLE001 - whatever a store's library raises is the reason to report
        sys.exit(f"{type(error).__name__}: {' '.join(str(error).split())}")
    sys.stdout.write(path)


if __name__ == "__main__":
    main()
