// Each refusal arrives at the official Node client as the class that its status stands for, and what its methods change is
// there at the next read.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { filledServer } from './server.mjs';

let server;
let organization;

before(async () => {
  server = await filledServer({ people: 60, projects: 4 });
  organization = server.client().admin.organization;
});

after(() => server?.stop());

/** Checks that `call` is refused with this class, code, param and part of the message. */
async function refused(Class, code, param, part, call) {
  const error = await call.then(() => assert.fail('it was not refused'), (error) => error);
  assert.equal(error.constructor, Class, String(error));
  assert.deepEqual([error.code, error.param, error.type], [code, param, 'invalid_request_error']);
  assert.ok(error.error.message.includes(part), error.error.message);
  assert.match(error.requestID, /^req_[0-9a-f]{32}$/);
}

test('a key that nobody made', async () => {
  const { users } = server.client(`sk-admin-${randomBytes(32).toString('hex')}`).admin.organization;
  await refused(OpenAI.AuthenticationError, 'invalid_api_key', null, 'Incorrect API key provided: ', users.list());
});

test('a key that only reads writes', async () => {
  const { value } = await organization.adminAPIKeys.create({ name: 'reads', scopes: ['api.management.read'] });
  const { projects } = server.client(value).admin.organization;
  const part = 'Missing scopes: api.management.write';
  await refused(OpenAI.PermissionDeniedError, null, null, part, projects.create({ name: 'refused' }));
});

test('unknown things', async () => {
  const { projects, users } = organization;
  await refused(OpenAI.NotFoundError, 'project_not_found', null, 'not found', projects.retrieve('proj_nobody'));
  await refused(OpenAI.NotFoundError, 'project_not_found', null, 'not found', projects.users.list('proj_nobody'));
  await refused(OpenAI.NotFoundError, 'not_found', null, 'not found', users.retrieve('user-nobody'));
});

test('a limit out of range', async () => {
  const list = (limit) => organization.users.list({ limit });
  await refused(OpenAI.BadRequestError, 'integer_below_min_value', 'limit', "'limit'", list(0));
  await refused(OpenAI.BadRequestError, 'integer_above_max_value', 'limit', '101', list(101));
});

test('an archived project', async () => {
  const { id } = await organization.projects.create({ name: 'to be archived' });
  await organization.projects.archive(id);
  const part = `Project '${id}' is archived.`;
  const { projects } = organization;
  await refused(OpenAI.BadRequestError, 'project_archived', null, part, projects.users.list(id));
  await refused(OpenAI.BadRequestError, 'project_archived', null, part, projects.update(id, { name: 'other' }));
});

test('a member twice', async () => {
  const { id } = await organization.projects.create({ name: 'twice' });
  const add = () => organization.projects.users.create(id, { user_id: server.users[0].id, role: 'member' });
  await add();
  await refused(OpenAI.BadRequestError, 'already_exists', null, 'already exists in project', add());
});

test('removing every member in the loop that lists them', async () => {
  const { projects } = organization;
  const { id: project_id } = await projects.create({ name: 'emptied' });
  const people = server.users.slice(0, 50);
  for (const user of people) await projects.users.create(project_id, { user_id: user.id, role: 'member' });
  const removed = [];
  for await (const member of projects.users.list(project_id, { limit: 7 })) {
    assert.equal((await projects.users.delete(member.id, { project_id })).deleted, true);
    removed.push(member.id);
  }
  assert.deepEqual(removed, people.map((user) => user.id).sort());
  assert.deepEqual((await projects.users.list(project_id)).data, []);
});

test('a deleted key is dead at the next request', async () => {
  const key = await organization.adminAPIKeys.create({ name: 'short-lived' });
  const other = server.client(key.value).admin.organization;
  assert.equal((await other.users.list({ limit: 1 })).data.length, 1);
  assert.equal((await organization.adminAPIKeys.delete(key.id)).deleted, true);
  await assert.rejects(other.users.list({ limit: 1 }), OpenAI.AuthenticationError);
});
