"""What executions report of themselves gets through without a token, and the gateway shows its address to nobody."""

import signal
from collections.abc import Callable

from mooring.errors import TooLarge
from tests.gateway.world import World

PATH = "/tracking/e0123456789abcde~team.a~SECRET-mac_/api/v1/metrics"
_MIB = 1024 * 1024


def test_it_arrives_as_it_was_sent(shared: World) -> None:
    answer = shared.ask(PATH, method="PATCH", token=False, content=b"{}", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()["path"], answer.json()["length"]) == (200, PATH, 2)


def test_custom_info_gets_through(new_world: Callable[..., World]) -> None:
    world = new_world(max_request_bytes=100 * _MIB)
    answer = world.ask(PATH, method="PATCH", token=False, content=b"x" * (6 * _MIB))
    assert (answer.status_code, answer.json()["length"]) == (200, 6 * _MIB)
    refused = world.ask(PATH, method="PATCH", token=False, content=b"x" * (8 * _MIB + 1))
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, TooLarge.code)
    _shows_nothing(refused.text)


def test_a_length_is_wanted_first(shared: World) -> None:
    answer = shared.ask(PATH, method="PATCH", token=False, content=iter([b"x"]))
    assert answer.status_code == 411
    _shows_nothing(answer.text)


def test_a_control_plane_that_is_away(world: World) -> None:
    world.upstreams.signal("control-plane", signal.SIGKILL)
    answer = world.ask(PATH, method="PATCH", token=False, content=b"{}")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    _shows_nothing(answer.text)


def test_other_paths_are_shown(shared: World) -> None:
    assert shared.ask("/v2/lm/x", token=False).json()["error"]["target"] == "/v2/lm/x"


def _shows_nothing(text: str) -> None:
    assert '"target":"/tracking/"' in text.replace(" ", "")
    assert "SECRET" not in text
