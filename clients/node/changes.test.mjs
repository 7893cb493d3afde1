// What the official Node client changes about people, members and admin keys is there at the next read.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { filledServer } from './server.mjs';

let server;
let organization;

before(async () => {
  server = await filledServer({ people: 10, projects: 1 });
  organization = server.client().admin.organization;
});

after(() => server?.stop());

const reader = () => server.users.find((user) => user.role === 'reader').id;

test('a person becomes owner and reader again', async () => {
  const { users } = organization;
  const id = reader();
  const person = await users.retrieve(id);
  const owner = await users.update(id, { role: 'owner' });
  assert.deepEqual(owner, { ...person, role: 'owner' });
  assert.deepEqual(await users.retrieve(id), owner);
  assert.deepEqual(await users.update(id, { role: 'reader' }), person);
});

test('a member comes, changes and leaves', async () => {
  const { projects } = organization;
  const { id: project_id } = await projects.create({ name: 'of members' });
  const user_id = reader();
  const member = await projects.users.create(project_id, { user_id, role: 'member' });
  assert.deepEqual(await projects.users.retrieve(user_id, { project_id }), member);
  const owner = await projects.users.update(user_id, { project_id, role: 'owner' });
  assert.deepEqual(owner, { ...member, role: 'owner' });
  assert.equal((await projects.users.delete(user_id, { project_id })).deleted, true);
  await assert.rejects(projects.users.retrieve(user_id, { project_id }), OpenAI.NotFoundError);
});

test('an admin key opens the door until it is deleted', async () => {
  const { adminAPIKeys } = organization;
  const { value, owner, ...made } = await adminAPIKeys.create({ name: 'short-lived', expires_in_seconds: 3600 });
  const other = server.client(value).admin.organization;
  assert.equal((await other.users.list({ limit: 1 })).data.length, 1);
  const shown = await adminAPIKeys.retrieve(made.id);
  assert.deepEqual([shown.redacted_value, shown.owner.id], [made.redacted_value, owner.id]);
  const ids = [];
  for await (const key of adminAPIKeys.list({ limit: 1 })) ids.push(key.id);
  assert.ok(ids.includes(made.id));
  assert.equal((await adminAPIKeys.delete(made.id)).deleted, true);
  await assert.rejects(other.users.list(), (error) => error instanceof OpenAI.AuthenticationError);
});
