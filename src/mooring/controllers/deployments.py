"""Carries out what `mooring.domain.deployments.plan` asks for: lease, act, record."""

import logging
import shutil
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mooring.controllers import replica_workspaces
from mooring.controllers.containers import open_secrets
from mooring.controllers.history import cut_history
from mooring.controllers.launch import LaunchOptions, container_server, model_server_replica
from mooring.controllers.leases import Lease, LeaseLost, Leases
from mooring.controllers.preparation import Preparations
from mooring.controllers.rollout_records import message_of, record_return
from mooring.controllers.routing import Router
from mooring.controllers.supplies import Stock
from mooring.controllers.views import Viewer
from mooring.domain import actions
from mooring.domain.deployments import is_steady, plan
from mooring.domain.endpoints import TcpAddress
from mooring.domain.identifiers import new_replica_id
from mooring.domain.lifecycle import LONGEST_STATUS_MESSAGE, Status
from mooring.domain.revisions import ModelServerSpec, RevisionSpec, RevisionState, from_json
from mooring.domain.views import Policy
from mooring.errors import MooringError
from mooring.runtimes.base import ContainerSpec, ReplicaSpec, Runtime
from mooring.store.tables import Deployment, Replica, Revision
from mooring.store.types import utc_now
from mooring.store.vault import CannotOpen, Vault

_MOST_ROUNDS = 20
"""Rounds of planning in one step; a deployment that is not through by then gets its next step soon."""
_logger = logging.getLogger("mooring.controllers.deployments")


@dataclass(frozen=True)
class DeploymentController:
    """Brings one deployment at a time closer to what its owner wants."""

    leases: Leases[Deployment]
    viewer: Viewer
    runtime: Runtime
    router: Router
    preparations: Preparations
    policy: Policy
    launch_options: LaunchOptions
    vault: Vault

    def step(self, deployment_id: str) -> bool:
        """Do all that can be done now. True when a later look will do, False when something is on its way."""
        for _ in range(_MOST_ROUNDS):
            look = self.viewer.look(deployment_id)
            if look is None:
                return True
            todo = plan(look.view, utc_now(), self.policy)
            if not todo:
                return is_steady(look.view)
            lease = self.leases.take(deployment_id, look.generation)
            if lease is None:
                return False
            try:
                todo = self._still_to_do(lease)
                for action in todo:
                    self._carry_out(action, lease)
            except LeaseLost:
                continue  # its owner wants something else now: look again
            finally:
                self.leases.give_back(lease)
            if all(isinstance(action, actions.Prepare) for action in todo):
                return is_steady(look.view)  # whoever fetches says when it is there
        return False

    def _still_to_do(self, lease: Lease) -> list[actions.Action]:
        """Decided anew: another control plane may have done it between our look and our lease."""
        look = self.viewer.look(lease.object_id)
        if look is None or look.generation != lease.generation:
            raise LeaseLost(lease.object_id)
        return plan(look.view, utc_now(), self.policy)

    def _carry_out(self, action: actions.Action, lease: Lease) -> None:  # noqa: C901 (one line per action)
        _logger.info("%s: %s", lease.object_id, action)
        match action:
            case actions.Accept():
                self._accept(lease)
            case actions.Prepare(revision_id):
                self._prepare(lease, revision_id)
            case actions.AddReplica(revision_id):
                self._add_replica(lease, revision_id)
            case actions.Launch(revision_id, replica_id):
                self._launch(lease, revision_id, replica_id)
            case actions.NoteReady(replica_id):
                self._note_ready(lease, replica_id)
            case actions.NoteEnded(replica_id, reason, asked, seen):
                self._note_ended(lease, replica_id, reason, asked=asked, seen=seen)
            case actions.Switch(revision_id):
                self._switch(lease, revision_id)
            case actions.ConfirmSwitch(revision_id):
                self._confirm_switch(lease, revision_id)
            case actions.SwitchBack(revision_id, failed_id, reason):
                self._switch_back(lease, revision_id, failed_id, reason)
            case actions.Return(revision_id, failed_id, reason):
                self._return(lease, revision_id, failed_id, reason)
            case actions.Fail(revision_id, reason):
                self._fail(lease, revision_id, reason)
            case actions.MarkAiling(reason):
                self._set_status(lease, Status.DEAD, reason)
            case actions.MarkRecovered():
                self._mark_recovered(lease)
            case actions.Tell(message):
                self._set_status(lease, None, message)
            case actions.Unpublish():
                self._unpublish(lease)
            case actions.Release(revision_id):
                self._release(lease, revision_id)
            case actions.StopReplica(replica_id):
                self._stop_replica(lease, replica_id)
            case actions.ForgetReplica(replica_id):
                self._forget_replica(lease, replica_id)
            case actions.Retire(revision_id):
                self._retire(lease, revision_id)
            case actions.MarkStopped():
                self._mark_stopped(lease)
            case actions.Remove():
                self._remove(lease)

    # --- bringing up -------------------------------------------------------------------------------------------------

    def _accept(self, lease: Lease) -> None:
        with self.leases.recording(lease) as (_, deployment):
            deployment.status = Status.PENDING.value
            deployment.submission_time = deployment.modified_at = utc_now()

    def _prepare(self, lease: Lease, revision_id: str) -> None:
        with self.leases.recording(lease) as (session, deployment):
            spec, group = _spec(session, revision_id), deployment.resource_group
        self.preparations.begin(revision_id, group, spec)

    def _add_replica(self, lease: Lease, revision_id: str) -> None:
        with self.leases.recording(lease) as (session, deployment):
            session.add(Replica(id=new_replica_id(), revision_id=revision_id))
            outdated = cut_history(session, deployment.id)
        for replica_id in outdated:
            self.runtime.forget_logs(replica_id)

    def _launch(self, lease: Lease, revision_id: str, replica_id: str) -> None:
        stock = self.preparations.stock(revision_id)
        if stock is None:
            return  # retired meanwhile; the next look sees it
        try:
            self.runtime.start(replica_id, self._program(lease, revision_id, replica_id, stock))
        except (OSError, ValueError, MooringError, CannotOpen) as error:
            self._note_ended(lease, replica_id, f"the replica could not be started: {error}")

    def _program(self, lease: Lease, revision_id: str, replica_id: str, stock: Stock) -> ReplicaSpec | ContainerSpec:
        """Raises OSError, MooringError, CannotOpen."""
        with self.leases.recording(lease) as (session, deployment):
            revision = session.get_one(Revision, revision_id)
            revision.model_folder = str(stock.folder) if stock.folder else None
            revision.image = stock.image
            spec, group = _spec(session, revision_id), deployment.resource_group
            if isinstance(spec, ModelServerSpec):
                return model_server_replica(spec, stock, lease.object_id, group, self.launch_options)
            opened = open_secrets(session, self.vault, group, spec.container)
        return container_server(spec, stock, opened, replica_id=replica_id, group=group, options=self.launch_options)

    def _note_ready(self, lease: Lease, replica_id: str) -> None:
        with self.leases.recording(lease) as (session, deployment):
            replica = session.get_one(Replica, replica_id)
            replica.ready_at = utc_now()
            serves = replica.revision_id == deployment.serving_revision_id
        if serves:
            self.router.publish()

    def _note_ended(
        self, lease: Lease, replica_id: str, reason: str, *, asked: bool = False, seen: bool = True
    ) -> None:
        with self.leases.recording(lease) as (session, deployment):
            replica = session.get_one(Replica, replica_id)
            serves = replica.revision_id == deployment.serving_revision_id
            reason = _in_the_owners_words(reason, session.get_one(Revision, replica.revision_id))
            replica.ended_at, replica.end_seen = utc_now(), seen
            replica.reason = reason or "the replica ended without giving a reason"
            if asked:
                replica.stop_requested_at = replica.stop_requested_at or utc_now()
        if serves and isinstance(self.runtime.endpoint(replica_id), TcpAddress):
            self.router.publish()  # its port may soon be somebody else's

    # --- who serves --------------------------------------------------------------------------------------------------

    def _switch(self, lease: Lease, revision_id: str) -> None:
        with self.leases.recording(lease) as (session, deployment):
            _set_serving(session, deployment, revision_id, predecessor=RevisionState.STANDBY)

    def _confirm_switch(self, lease: Lease, revision_id: str) -> None:
        self.router.publish()
        with self.leases.recording(lease) as (session, deployment):
            revision = session.get_one(Revision, revision_id)
            revision.switched_at = deployment.modified_at = utc_now()
            deployment.latest_running_configuration_id = revision.configuration_id
            if revision.number == _newest_number(session, deployment):
                deployment.status, deployment.status_message = Status.RUNNING.value, message_of(revision)
                deployment.start_time = deployment.start_time or utc_now()
            for other in deployment.revisions:
                if other.state == RevisionState.FAILED.value:
                    other.released_at = other.released_at or utc_now()

    def _switch_back(self, lease: Lease, revision_id: str, failed_id: str, reason: str) -> None:
        with self.leases.recording(lease) as (session, deployment):
            _set_serving(session, deployment, revision_id, predecessor=RevisionState.FAILED)
            session.get_one(Revision, failed_id).reason = reason
            session.get_one(Revision, revision_id).returned = None
            deployment.latest_running_configuration_id = session.get_one(Revision, revision_id).configuration_id
            _mark_dead(session, deployment, failed_id, reason)

    def _return(self, lease: Lease, revision_id: str, failed_id: str, reason: str) -> None:
        with self.leases.recording(lease) as (session, deployment):
            good, failed = session.get_one(Revision, revision_id), session.get_one(Revision, failed_id)
            record_return(session, deployment, good, failed, reason)

    def _fail(self, lease: Lease, revision_id: str, reason: str) -> None:
        with self.leases.recording(lease) as (session, deployment):
            revision = session.get_one(Revision, revision_id)
            revision.state, revision.reason = RevisionState.FAILED.value, reason
            _mark_dead(session, deployment, revision_id, reason)

    def _unpublish(self, lease: Lease) -> None:
        with self.leases.recording(lease) as (_session, deployment):
            deployment.serving_revision_id = None
            deployment.status = Status.STOPPING.value
            for revision in deployment.revisions:
                if revision.state in (RevisionState.SERVING.value, RevisionState.STANDBY.value):
                    revision.state, revision.released_at = RevisionState.DRAINING.value, utc_now()
        self.router.publish()

    def _mark_recovered(self, lease: Lease) -> None:
        with self.leases.recording(lease) as (session, deployment):
            deployment.status = Status.RUNNING.value
            deployment.status_message = message_of(session.get(Revision, deployment.serving_revision_id or ""))
            deployment.modified_at = utc_now()

    def _set_status(self, lease: Lease, status: Status | None, message: str = "") -> None:
        with self.leases.recording(lease) as (_, deployment):
            deployment.status = status.value if status else deployment.status
            deployment.status_message = message[:LONGEST_STATUS_MESSAGE]
            deployment.modified_at = utc_now()

    # --- winding down ------------------------------------------------------------------------------------------------

    def _release(self, lease: Lease, revision_id: str) -> None:
        with self.leases.recording(lease) as (session, _):
            revision = session.get_one(Revision, revision_id)
            revision.state, revision.released_at = RevisionState.DRAINING.value, utc_now()

    def _stop_replica(self, lease: Lease, replica_id: str) -> None:
        with self.leases.recording(lease) as (session, _):
            session.get_one(Replica, replica_id).stop_requested_at = utc_now()
        self.runtime.stop(replica_id)

    def _forget_replica(self, lease: Lease, replica_id: str) -> None:
        self.runtime.forget(replica_id)
        replica_workspaces.remove(self.launch_options.workspaces / replica_id)
        with self.leases.recording(lease) as (session, _):
            session.get_one(Replica, replica_id).forgotten = True

    def _retire(self, lease: Lease, revision_id: str) -> None:
        with self.leases.recording(lease) as (session, _):
            session.get_one(Revision, revision_id).state = RevisionState.RETIRED.value
        self.preparations.forget(revision_id)

    def _mark_stopped(self, lease: Lease) -> None:
        with self.leases.recording(lease) as (_, deployment):
            deployment.status = Status.STOPPED.value
            deployment.completion_time = deployment.modified_at = utc_now()

    def _remove(self, lease: Lease) -> None:
        with self.leases.recording(lease) as (_, deployment):
            replicas = [replica.id for revision in deployment.revisions for replica in revision.replicas]
        for replica_id in replicas:  # before the rows: they are what we know the logs by
            self.runtime.forget_logs(replica_id)
        with self.leases.recording(lease) as (session, deployment):
            session.delete(deployment)
        shutil.rmtree(self.launch_options.journals / lease.object_id, ignore_errors=True)


def _spec(session: Session, revision_id: str) -> RevisionSpec:
    return from_json(session.get_one(Revision, revision_id).spec)


def _newest_number(session: Session, deployment: Deployment) -> int:
    return session.scalars(select(func.max(Revision.number)).where(Revision.deployment_id == deployment.id)).one()


def _set_serving(session: Session, deployment: Deployment, revision_id: str, *, predecessor: RevisionState) -> None:
    if deployment.serving_revision_id and deployment.serving_revision_id != revision_id:
        session.get_one(Revision, deployment.serving_revision_id).state = predecessor.value
    revision = session.get_one(Revision, revision_id)
    revision.state, revision.switched_at = RevisionState.SERVING.value, None
    deployment.serving_revision_id = revision_id


def _in_the_owners_words(reason: str, revision: Revision) -> str:
    """The model is named as its owner named it, and not by our folder."""
    owners = revision.spec.get("model_uri") or revision.spec.get("storage_uri")
    if revision.model_folder is None or not owners:
        return reason
    return reason.replace(revision.model_folder, str(owners))


def _mark_dead(session: Session, deployment: Deployment, revision_id: str, reason: str) -> None:
    """Unless something newer is on its way: then that decides how the deployment is."""
    if session.get_one(Revision, revision_id).number < _newest_number(session, deployment):
        return
    good, failed = deployment.latest_running_configuration_id, session.get_one(Revision, revision_id).configuration_id
    serves_on = f"; configuration {good} serves on" if good and good != failed else ""
    deployment.status = Status.DEAD.value
    deployment.status_message = f"{reason[: LONGEST_STATUS_MESSAGE - len(serves_on)]}{serves_on}"
    deployment.modified_at = utc_now()
