"""A sync makes, updates and removes executables by evidence; nobody takes over what belongs to somebody else."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.services import template_sync
from mooring.store.tables import Executable, Scenario
from mooring.templates.errors import TemplateError
from mooring.templates.files import kind_of, name_of, read_templates
from mooring.templates.found_template import FoundTemplate
from tests.templates.samples import SERVING, WORKFLOW


def _found(**files: str) -> list[FoundTemplate]:
    """What would be found in files of these names (`_` stands for the dot)."""
    found = []
    for file, text in files.items():
        try:
            documents = read_templates(text.encode())
        except TemplateError as error:
            found.append(FoundTemplate(file, "File", "", problem=str(error)))
            continue
        for document, result in documents:
            wrong = isinstance(result, TemplateError)
            template, problem = (None, str(result)) if isinstance(result, TemplateError) else (result, "")
            assert wrong is bool(problem)
            found.append(FoundTemplate(file, kind_of(document), name_of(document), template, problem))
    return found


def _sync(session: Session, found: list[FoundTemplate], application: str = "app") -> dict[str, str]:
    statuses = template_sync.sync(session, application, found)
    return {status.name: f"{status.status}: {status.message}" for status in statuses}


def _ours(session: Session) -> set[str]:
    return set(session.scalars(select(Executable.id).where(Executable.application.is_not(None))))


def test_templates_become_executables_of_their_scenario(session: Session) -> None:
    told = _sync(session, _found(serve=SERVING, train=WORKFLOW))
    assert told == {
        "greeter": "Synced: servingtemplate.ai.sap.com/greeter created",
        "trainer": "Synced: workflowtemplate.argoproj.io/trainer created",
    }
    serve, train = session.get_one(Executable, "greeter"), session.get_one(Executable, "trainer")
    assert (serve.deployable, train.deployable, serve.version_id) == (True, False, "1.10")
    assert serve.parameters[0] == {"name": "greeting", "type": "string", "default": "hi"}
    assert session.get_one(Scenario, "greetings").name == "greetings"  # the workflow, which came last, gives no name


def test_a_second_sync_changes_nothing(session: Session) -> None:
    _sync(session, _found(serve=SERVING))
    before = session.get_one(Executable, "greeter").modified_at
    assert _sync(session, _found(serve=SERVING)) == {"greeter": "Synced: servingtemplate.ai.sap.com/greeter unchanged"}
    assert session.get_one(Executable, "greeter").modified_at == before
    changed = SERVING.replace("default: hi", "default: hello")
    assert _sync(session, _found(serve=changed)) == {"greeter": "Synced: servingtemplate.ai.sap.com/greeter configured"}
    assert session.get_one(Executable, "greeter").parameters[0]["default"] == "hello"
    assert session.get_one(Executable, "greeter").modified_at > before


def test_what_is_gone_is_removed_with_its_scenario(session: Session) -> None:
    _sync(session, _found(serve=SERVING, train=WORKFLOW))
    assert _sync(session, _found(train=WORKFLOW))["greeter"].endswith("greeter pruned")
    assert _ours(session) == {"trainer"}
    _sync(session, [])
    assert _ours(session) == set()
    assert session.get(Scenario, "greetings") is None
    assert session.get(Scenario, "mooring") is not None


@pytest.mark.parametrize("broken", ["a: [", SERVING.replace("image:", "imago:"), SERVING + "\nkind: twice\n"])
def test_a_broken_file_keeps_what_worked(session: Session, broken: str) -> None:
    _sync(session, _found(serve=SERVING, train=WORKFLOW))
    told = _sync(session, _found(serve=broken, train=WORKFLOW))
    assert [message for message in told.values() if message.startswith("SyncFailed: serve: ")]
    assert _ours(session) == {"greeter", "trainer"}
    assert session.get_one(Executable, "greeter").parameters[0]["default"] == "hi"


def test_a_template_that_moved_to_another_file_stays(session: Session) -> None:
    _sync(session, _found(serve=SERVING))
    assert _sync(session, _found(serve="a: [", moved=SERVING))["greeter"].startswith("Synced")
    assert _ours(session) == {"greeter"}


def test_two_applications_cannot_fight_over_one_name(session: Session) -> None:
    _sync(session, _found(serve=SERVING), "first")
    told = _sync(session, _found(serve=SERVING), "second")
    assert "'greeter' belongs to the application 'first': give it another name" in told["greeter"]
    assert session.get_one(Executable, "greeter").application == "first"
    _sync(session, [], "second")
    assert _ours(session) == {"greeter"}
    template_sync.remove_all(session, "first")
    assert _sync(session, _found(serve=SERVING), "second")["greeter"].endswith("created")


def _in_words_of(owner: str, name: str = "greeter") -> str:
    """A template of this name that calls its scenario so."""
    return SERVING.replace('"Greetings"', owner).replace("name: greeter", f"name: {name}")


def test_the_application_that_made_a_scenario_says_what_it_is_called(session: Session) -> None:
    first, second = _found(a=_in_words_of("First")), _found(b=_in_words_of("Second", name="other"))
    _sync(session, first, "first")
    for _ in range(2):
        told = _sync(session, second, "second")["other"]
        assert told.startswith("Synced: ")
        assert "'greetings' keeps the name and the description that the application 'first' gives it" in told
        before = session.get_one(Scenario, "greetings").modified_at
        assert "keeps" not in _sync(session, first, "first")["greeter"]
        scenario = session.get_one(Scenario, "greetings")
        assert (scenario.name, scenario.modified_at) == ("First", before)
    assert "keeps" not in _sync(session, _found(c=WORKFLOW), "third")["trainer"], "it says nothing about that"
    _sync(session, _found(a=_in_words_of("Renamed")), "first")
    assert session.get_one(Scenario, "greetings").name == "Renamed"


def test_with_the_last_template_goes_the_word_on_a_scenario(session: Session) -> None:
    _sync(session, _found(a=_in_words_of("First")), "first")
    _sync(session, _found(b=_in_words_of("Second", name="other")), "second")
    template_sync.remove_all(session, "first")
    assert session.get_one(Scenario, "greetings").name == "First"
    assert "keeps" not in _sync(session, _found(b=_in_words_of("Second", name="other")), "second")["other"]
    assert session.get_one(Scenario, "greetings").name == "Second"


def test_what_is_built_in_cannot_be_taken_over(session: Session) -> None:
    mine = SERVING.replace("name: greeter", "name: model-server")
    assert "belongs to Mooring itself" in _sync(session, _found(serve=mine))["model-server"]
    inside = SERVING.replace('scenarios.ai.sap.com/id: "greetings"', "scenarios.ai.sap.com/id: mooring")
    name = session.get_one(Scenario, "mooring").name
    assert _sync(session, _found(serve=inside))["greeter"].endswith("created")
    assert session.get_one(Scenario, "mooring").name == name


def test_of_two_files_with_one_name_the_first_counts(session: Session) -> None:
    other = SERVING.replace("default: hi", "default: hello")
    statuses = template_sync.sync(session, "app", _found(a=SERVING, b=other))
    assert [(status.status, status.message[:30]) for status in statuses] == [
        ("Synced", "servingtemplate.ai.sap.com/gre"),
        ("SyncFailed", "b: another file of the applica"),
    ]
    assert session.get_one(Executable, "greeter").file == "a"


def test_warnings_reach_the_status(session: Session) -> None:
    warned = SERVING.replace("        minReplicas:", "        brandNew: 1\n        minReplicas:")
    assert "predictor.brandNew is not known here" in _sync(session, _found(serve=warned))["greeter"]
