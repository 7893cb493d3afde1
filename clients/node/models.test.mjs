// What a project may use of the operator's models, and which of them, through the official Node client.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { filledServer } from './server.mjs';

const tuned = 'ft:gpt-4o:acme::a1';
const models = ['dall-e requests-per-minute=5 images-per-minute=8', `${tuned} requests-per-minute=20`, 'gpt-4o'];

let server;
let projects;

before(async () => {
  server = await filledServer({ people: 2, projects: 1, models });
  projects = server.client().admin.organization.projects;
});

after(() => server?.stop());

async function all(list) {
  const rows = [];
  for await (const row of list) rows.push(row);
  return rows;
}

test('the limits of a project', async () => {
  const { id: project_id } = await projects.create({ name: 'of limits' });
  const limits = projects.rateLimits;
  const listed = await all(limits.listRateLimits(project_id, { limit: 2 }));
  assert.deepEqual(listed.map((row) => row.id), ['rl-dall-e', `rl-${tuned}`, 'rl-gpt-4o']);
  assert.deepEqual([listed[0].max_images_per_1_minute, listed[1].max_images_per_1_minute], [8, undefined]);
  const changed = await limits.updateRateLimit(`rl-${tuned}`, { project_id, max_requests_per_1_minute: 7 });
  assert.equal(changed.max_requests_per_1_minute, 7);
  assert.deepEqual((await all(limits.listRateLimits(project_id, { limit: 1000 })))[1], changed);
  const beyond = limits.updateRateLimit('rl-dall-e', { project_id, max_requests_per_1_minute: 6 });
  await assert.rejects(beyond, (error) => error.code === 'integer_above_max_value' && error.param === 'max_requests_per_1_minute');
});

test('the models of a project', async () => {
  const { id } = await projects.create({ name: 'of models' });
  const permissions = projects.modelPermissions;
  for (const call of [() => permissions.retrieve(id), () => permissions.delete(id)]) {
    await assert.rejects(call, (error) => error instanceof OpenAI.NotFoundError && /not found/.test(error.message));
  }
  const made = await permissions.update(id, { mode: 'allow_list', model_ids: ['gpt-4o', 'dall-e', 'gpt-4o'] });
  assert.deepEqual([made.mode, made.model_ids], ['allow_list', ['gpt-4o', 'dall-e']]);
  assert.deepEqual(await permissions.retrieve(id), made);
  const unknown = permissions.update(id, { mode: 'deny_list', model_ids: ['unknown'] });
  await assert.rejects(unknown, (error) => error.code === 'model_not_found' && error.param === 'model_ids[0]');
  assert.equal((await permissions.delete(id)).deleted, true);
});
