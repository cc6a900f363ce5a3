import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mooring.artifacts.errors import SourceAway
from mooring.artifacts.tracking import TrackingServer


@pytest.fixture
def in_circles() -> Iterator[str]:
    """A server whose runs are there, and whose list of logged models leads back to its own page for ever."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply({"run": {"info": {"experiment_id": "0", "artifact_uri": "mlflow-artifacts:/0/r"}}})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.reply({"models": [], "next_page_token": "again"})

        def reply(self, document: object) -> None:
            content = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_listing_that_goes_in_circles_ends(in_circles: str) -> None:
    server = TrackingServer(in_circles, timeout_seconds=5)
    with pytest.raises(SourceAway, match="shown already"):
        server.run_location("r", "model")
    server.close()
