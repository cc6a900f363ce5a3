// Deployments, executions, schedules and metrics.
import assert from "node:assert/strict";
import { DeploymentApi, ExecutionApi, ExecutionScheduleApi, MetricsApi, resolveDeploymentUrl } from "@sap-ai-sdk/ai-api";
import {
  DEPLOYABLE, SCENARIO, eventually, group, inGroup, newConfiguration, newWorkflowConfiguration, refused, unique,
} from "./world.mjs";

const deployment = (id, query = {}) => DeploymentApi.deploymentGet(id, query, inGroup).execute();
const execution = (id, query = {}) => ExecutionApi.executionGet(id, query, inGroup).execute();
const becomes = (look, id, status) => eventually(async () => (await look(id)).status === status, `${id} is ${status}`);

export async function deployments() {
  const configurationId = await newConfiguration();
  const made = await DeploymentApi.deploymentCreate({ configurationId, ttl: "2h" }, inGroup).executeRaw();
  assert.equal(made.status, 202);
  assert.equal(made.data.message, "Deployment scheduled.");
  const id = made.data.id;
  await becomes(deployment, id, "RUNNING");
  const running = await deployment(id);
  assert.ok(running.deploymentUrl.endsWith(`/v2/inference/deployments/${id}`));
  assert.deepEqual(Object.keys(running.details.resources), ["backendDetails"]);
  const found = await DeploymentApi.deploymentQuery({ executableIds: [DEPLOYABLE], status: "RUNNING" }, inGroup).execute();
  assert.ok(found.resources.some((each) => each.id === id));
  assert.equal((await deployment(id, { $select: "status" })).status, "RUNNING");

  const next = { configurationId: await newConfiguration("models:/wine/2") };
  const changed = await DeploymentApi.deploymentModify(id, next, inGroup).execute();
  assert.equal(changed.message, "Deployment modification scheduled");
  await becomes(deployment, id, "RUNNING");
  await refused(DeploymentApi.deploymentDelete(id, inGroup), 412);
  await DeploymentApi.deploymentModify(id, { targetStatus: "STOPPED" }, inGroup).execute();
  await becomes(deployment, id, "STOPPED");
  const deleted = await DeploymentApi.deploymentDelete(id, inGroup).executeRaw();
  assert.equal(deleted.status, 202);
  await eventually(() => deployment(id).then(() => false, () => true), "it is gone");
}

export async function deploymentsInBulk() {
  const made = await DeploymentApi.deploymentCreate({ configurationId: await newConfiguration() }, inGroup).execute();
  await becomes(deployment, made.id, "RUNNING");
  const body = { deployments: [{ id: made.id, targetStatus: "STOPPED" }, { id: "d000000000000000", targetStatus: "STOPPED" }] };
  const answer = await DeploymentApi.deploymentBatchModify(body, inGroup).execute();
  assert.equal(answer.deployments[0].message, "Deployment modification scheduled");
  assert.ok(answer.deployments[1].error.message);
  assert.ok((await DeploymentApi.deploymentCount({ scenarioId: SCENARIO }, inGroup).execute()) >= 1);
}

// What orchestration and foundation model clients do before each of their calls.
export async function deploymentsResolved() {
  const made = await DeploymentApi.deploymentCreate({ configurationId: await newConfiguration() }, inGroup).execute();
  await becomes(deployment, made.id, "RUNNING");
  const url = await resolveDeploymentUrl({ scenarioId: SCENARIO, executableId: DEPLOYABLE, resourceGroup: group });
  assert.ok(url.includes("/v2/inference/deployments/d"));
}

export async function executions() {
  const configurationId = await newWorkflowConfiguration();
  const made = await ExecutionApi.executionCreate({ configurationId }, inGroup).executeRaw();
  assert.deepEqual([made.status, made.data.message], [202, "Execution scheduled"]);
  const id = made.data.id;
  await becomes(execution, id, "RUNNING");
  assert.deepEqual((await execution(id)).outputArtifacts, []);
  assert.equal((await ExecutionApi.executionQuery({ configurationId }, inGroup).execute()).resources[0].id, id);
  assert.equal(await ExecutionApi.executionCount({ configurationId }, inGroup).execute(), 1);
  const body = { executions: [{ id, targetStatus: "STOPPED" }] };
  const answer = await ExecutionApi.executionBatchModify(body, inGroup).execute();
  assert.equal(answer.executions[0].message, "Execution modification scheduled");
  await becomes(execution, id, "STOPPED");
  await ExecutionApi.executionDelete(id, inGroup).execute();
  await eventually(() => execution(id).then(() => false, () => true), "it is gone");
}

export async function schedules() {
  const configurationId = await newWorkflowConfiguration();
  const body = { name: "nightly", cron: "0 3 * * *", configurationId };
  const made = await ExecutionScheduleApi.executionScheduleCreate(body, inGroup).execute();
  assert.equal(made.message, "Execution Schedule created");
  await ExecutionScheduleApi.executionScheduleModify(made.id, { status: "INACTIVE" }, inGroup).execute();
  assert.equal((await ExecutionScheduleApi.executionScheduleGet(made.id, inGroup).execute()).status, "INACTIVE");
  const inactive = { configurationId, status: "INACTIVE" };
  assert.equal((await ExecutionScheduleApi.executionScheduleQuery(inactive, inGroup).execute()).count, 1);
  assert.equal(await ExecutionScheduleApi.executionScheduleCount(inactive, inGroup).execute(), 1);
  const deleted = await ExecutionScheduleApi.executionScheduleDelete(made.id, inGroup).execute();
  assert.equal(deleted.message, "Execution Schedule deleted");
}

export async function metrics() {
  const executionId = unique("e");
  const body = { executionId, metrics: [{ name: "loss", value: 0.5 }], tags: [{ name: "stage", value: "test" }] };
  assert.equal((await MetricsApi.metricsPatch(body, inGroup).executeRaw()).status, 204);
  const found = await MetricsApi.metricsFind({ executionIds: [executionId], $select: ["metrics"] }, inGroup).execute();
  assert.equal(found.resources[0].metrics[0].value, 0.5);
  const $filter = encodeURIComponent(`executionId eq '${executionId}'`); // the SDK leaves that to its caller
  const filtered = await MetricsApi.metricsFind({ $filter }, inGroup).execute();
  assert.equal(filtered.resources[0].tags[0].value, "test");
  await MetricsApi.metricsDelete({ executionId }, inGroup).execute();
  await refused(MetricsApi.metricsDelete({ executionId }, inGroup), 404);
}
