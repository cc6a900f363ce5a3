"""A project as `mooring init` writes it, from its first push to an answer, with a folder in place of its image."""

import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.git_server import Repo
from tests.system.running_mooring import RunningMooring, wait_until
from tests.system.team import Team

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is missing: apt-get install bubblewrap"),
]


def test_a_new_project_trains_and_serves(tmp_path: Path) -> None:
    project = tmp_path / "git" / "churn"
    settings = {"MOORING_GIT_FOLDERS": f'["{tmp_path / "git"}"]', "MOORING_RUNTIME": "process"}
    stand_in = ("--stand-in", f"registry.example.com/churn={project / 'src'}")
    mooring = RunningMooring(tmp_path / "home", settings, *stand_in)
    mooring.run("init", str(project), "--scenario", "customer-churn")
    repo = Repo(project, str(project))
    repo.git("init", "--quiet", "--initial-branch=main")
    repo.commit({})
    image = subprocess.run(["sh", str(project / "cicd" / "image.sh")], capture_output=True, text=True, check=True)
    with mooring:
        mooring.environment |= {"IMAGE": image.stdout.strip(), "PATH": os.environ["PATH"]}
        team = Team(mooring, repo)
        team.sdk.repositories.create("churn", str(project), "", "")
        team.sdk.applications.create("main", "templates", "churn", repository_name="churn")
        wait_until(lambda: team.sdk.applications.get_status("churn").sync_status == "Synced", what="the sync")
        data = (project / "data" / "example.csv").read_bytes()
        assert team.file("churn/data/example.csv", data).status_code in (200, 201)
        file = str(project / "cicd" / "config.json")
        mooring.run("plan", file, "--stage", "dev", accepted=(2,))
        mooring.run("deploy", file, "--stage", "dev")
        (deployment,) = mooring.client().deployments.list()
        url = f"{deployment.deployment_url}/v2/predict"
        answer = httpx.post(url, json={"first": 2.0, "second": 1.0}, headers=mooring.headers(), timeout=60)
        assert answer.json()["prediction"] == pytest.approx(5.0, abs=0.3), answer.text
        mooring.run("plan", file, "--stage", "dev", accepted=(0,))
