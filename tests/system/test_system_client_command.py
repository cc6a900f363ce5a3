"""`mooring client`: what an operator at a terminal, or a script, gets. Nothing has to run for it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mooring.cli.main import main
from mooring.home import Home
from mooring.services import catalog, clients
from mooring.store.database import Database
from mooring.store.migrate import upgrade
from mooring.store.tables import Client, ResourceGroup
from mooring.system.address import Address, keep_address
from mooring.system.registry_watch import BUILDER_CLIENT
from mooring.system.service_key import ensure_service_key
from tests.system.running_mooring import PROGRAM

URL = "http://127.0.0.1:4711"


@pytest.fixture
def home(empty_home: Path) -> Home:
    """As `mooring up` leaves it, with a group `team-a` and the builder's client."""
    made = Home(empty_home)
    made.create()
    database = _store(made)
    upgrade(database)
    with database.transaction() as session:
        catalog.install(session)
        session.add(ResourceGroup(id="team-a"))
        clients.renew(session, BUILDER_CLIENT)
    ensure_service_key(made, database, URL)
    keep_address(made, Address("127.0.0.1", 4711, URL))
    database.close()
    return made


@dataclass(frozen=True)
class Printed:
    """What came out."""

    stdout: str
    stderr: str


Command = Callable[..., Printed]


@pytest.fixture
def client(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `mooring client …`; `expected` is the exit code, `answer` what is typed."""
    monkeypatch.setenv("MOORING_HOME", str(home.path))

    def run(*arguments: str, expected: int = 0, answer: str = "") -> Printed:
        monkeypatch.setattr(sys, "argv", ["mooring", "client", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = Printed(*capsys.readouterr())
        assert (ended.value.code or 0) == expected, printed
        return printed

    return run


def _store(home: Home) -> Database:
    return Database(f"sqlite:///{home.database}")


def _is_let_in(home: Home, client_id: str, secret: str) -> bool:
    database = _store(home)
    with database.reading() as session:
        found = clients.authenticate(session, client_id, secret)
    database.close()
    return found is not None


def _row(home: Home, client_id: str) -> Client:
    database = _store(home)
    with database.reading() as session:
        found = session.get_one(Client, client_id)
    database.close()
    return found


def _printed(text: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in text.splitlines())


def test_the_secret_is_printed_once_and_lets_in(home: Home, client: Command) -> None:
    printed = _printed(client("create", "sb-ci!b1|x", "--group", "team-a", "-g", "default").stdout)
    assert set(printed) == {"clientid", "clientsecret"}
    assert _is_let_in(home, "sb-ci!b1|x", printed["clientsecret"])
    row = _row(home, "sb-ci!b1|x")
    assert (row.role, row.groups) == ("editor", ["team-a", "default"])
    listed = client("list", "--json")
    assert printed["clientsecret"] not in listed.stdout
    mine = next(each for each in json.loads(listed.stdout) if each["id"] == "sb-ci!b1|x")
    assert (mine["role"], mine["groups"]) == ("editor", ["team-a", "default"])


def test_a_key_in_saps_shape_is_private_and_no_other_file_is_overwritten(
    home: Home, client: Command, tmp_path: Path
) -> None:
    file = tmp_path / "key.json"
    said = client("create", "ci", "--role", "viewer", "--service-key", str(file))
    key = json.loads(file.read_text())
    assert file.stat().st_mode & 0o777 == 0o600
    assert set(key) >= {"clientid", "clientsecret", "url", "identityzone", "identityzoneid", "appname"}
    assert (key["clientid"], key["url"], key["serviceurls"]) == ("ci", URL, {"AI_API_URL": URL})
    assert key["clientsecret"] not in said.stdout + said.stderr
    client("rotate", "ci", "--service-key", str(file))
    renewed = json.loads(file.read_text())
    assert (_is_let_in(home, "ci", renewed["clientsecret"]), _is_let_in(home, "ci", key["clientsecret"])) == (
        True,
        False,
    )
    refused = client("create", "other", "--service-key", str(file), expected=1)
    assert str(file) in refused.stderr
    assert "other" not in client("list").stdout
    assert json.loads(file.read_text()) == renewed


def test_a_key_is_written_over_no_device(client: Command) -> None:
    """/dev/full has no end: whoever wants to know what is in it reads until there is no memory left."""
    refused = client("create", "endless", "--service-key", "/dev/full", expected=1)
    assert "is not a key of" in refused.stderr


@pytest.mark.parametrize("verb", ["create", "rotate"])
def test_a_key_makes_no_folders(home: Home, client: Command, tmp_path: Path, verb: str) -> None:
    own = json.loads(home.service_key.read_text())
    name = own["clientid"] if verb == "rotate" else "ci"
    refused = client(verb, name, "--service-key", str(tmp_path / "missing" / "k.json"), expected=1)
    assert f"{tmp_path / 'missing'} is no folder" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "missing").exists()
    listed = {each["id"] for each in json.loads(client("list", "--json").stdout)}
    assert (name in listed) is (verb == "rotate")
    assert json.loads(home.service_key.read_text()) == own
    assert _is_let_in(home, own["clientid"], own["clientsecret"])


def test_a_key_can_be_piped(client: Command) -> None:
    assert json.loads(client("create", "piped", "--service-key", "-").stdout)["clientid"] == "piped"


def test_a_rotation_ends_the_old_secret_at_once_or_after_a_grace(home: Home, client: Command) -> None:
    first = _printed(client("create", "ci").stdout)["clientsecret"]
    second = _printed(client("rotate", "ci", "--grace-minutes", "5").stdout)["clientsecret"]
    assert [_is_let_in(home, "ci", secret) for secret in (first, second)] == [True, True]
    assert _row(home, "ci").tokens_valid_from is None
    third = _printed(client("rotate", "ci").stdout)["clientsecret"]
    assert [_is_let_in(home, "ci", secret) for secret in (first, second, third)] == [False, False, True]
    assert _row(home, "ci").tokens_valid_from is not None


def test_the_homes_own_secret_is_renewed_in_its_key(home: Home, client: Command) -> None:
    before = json.loads(home.service_key.read_text())
    client("rotate", before["clientid"])
    after = json.loads(home.service_key.read_text())
    assert {**after, "clientsecret": ""} == {**before, "clientsecret": ""}
    assert home.service_key.stat().st_mode & 0o777 == 0o600
    assert _is_let_in(home, after["clientid"], after["clientsecret"])
    assert not _is_let_in(home, before["clientid"], before["clientsecret"])


def test_what_the_installation_needs_is_not_deleted(home: Home, client: Command) -> None:
    own = json.loads(home.service_key.read_text())["clientid"]
    assert "service-key.json" in client("delete", own, "--yes", expected=1).stderr
    for command in (("delete", "--yes"), ("rotate",), ("update", "--role", "viewer")):
        refused = client(command[0], BUILDER_CLIENT, *command[1:], expected=1)
        assert "internal" in refused.stderr
    listed = client("list").stdout
    assert "this home's service key" in listed
    assert "internal" in listed


def test_deleting_asks_first(home: Home, client: Command) -> None:
    secret = _printed(client("create", "ci").stdout)["clientsecret"]
    client("delete", "ci", answer="n\n", expected=1)
    assert _is_let_in(home, "ci", secret)
    client("delete", "ci", answer="y\n")
    assert not _is_let_in(home, "ci", secret)
    assert "ci" not in [each["id"] for each in json.loads(client("list", "--json").stdout)]
    assert "mooring client list" in client("delete", "ci", "--yes", expected=1).stderr


def test_an_update_changes_what_is_named_only(home: Home, client: Command) -> None:
    client("create", "ci", "--role", "admin", "--group", "team-a")
    client("update", "ci", "--role", "viewer")
    assert (_row(home, "ci").role, _row(home, "ci").groups) == ("viewer", ["team-a"])
    client("update", "ci", "--all-groups")
    assert (_row(home, "ci").role, _row(home, "ci").groups) == ("viewer", ["*"])
    assert _row(home, "ci").tokens_valid_from is None
    client("update", "ci", "--group", "default")
    assert _row(home, "ci").groups == ["default"]
    assert _row(home, "ci").tokens_valid_from is not None


@pytest.mark.parametrize(
    ("arguments", "expected", "said"),
    [
        (["create", "ci", "--group", "nope"], 1, "'nope'"),
        (["create", "ci", "--group", ""], 1, "''"),
        (["create", "a:b"], 1, "colon"),
        (["create", ""], 1, "200"),
        (["create", " x"], 1, "space"),
        (["create", "x" * 201], 1, "200"),
        (["create", "a\nb"], 1, "printable"),
        (["create", BUILDER_CLIENT], 1, "exists already"),
        (["create", "ci", "--role", "owner"], 2, "viewer"),
        (["rotate", "nobody"], 1, "mooring client list"),
        (["update", "nobody"], 2, "nothing to change"),
        (["update", "nobody", "--group", "a", "--all-groups"], 2, "one of"),
        (["rotate", "nobody", "--grace-minutes", "-1"], 2, "grace-minutes"),
        (["nonsense"], 2, "nonsense"),
    ],
    ids=str,
)
def test_mistakes_are_told_in_words(client: Command, arguments: list[str], expected: int, said: str) -> None:
    assert said in client(*arguments, expected=expected).stderr


def test_without_a_store_it_says_what_to_do(empty_home: Path) -> None:
    environment = {**os.environ, "MOORING_HOME": str(empty_home)}
    command = [PROGRAM, "client", "list"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "mooring up" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
    assert not empty_home.exists()


@pytest.mark.parametrize("command", ["", "create", "list", "rotate", "update", "delete"])
def test_every_command_explains_itself(command: str) -> None:
    done = subprocess.run([PROGRAM, "client", *command.split(), "--help"], capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    assert not command or "mooring client" in done.stdout


def test_names_are_completed_by_the_shell(home: Home, client: Command) -> None:
    client("create", "harbour-ci")
    words = {"COMP_WORDS": "mooring client rotate harb", "COMP_CWORD": "3", "_MOORING_COMPLETE": "complete_bash"}
    environment = {**os.environ, **words, "MOORING_HOME": str(home.path)}
    done = subprocess.run([PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["harbour-ci"]
