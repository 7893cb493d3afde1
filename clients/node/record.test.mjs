// What happened, as the list of it tells the official Node client.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { filledServer } from './server.mjs';

let server;
let organization;

before(async () => {
  server = await filledServer({ people: 30, projects: 2 });
  organization = server.client().admin.organization;
});

after(() => server?.stop());

async function all(list) {
  const rows = [];
  for await (const row of list) rows.push(row);
  return rows;
}

test('a change is on record at once, and found by every filter', async () => {
  const { auditLogs, projects } = organization;
  const project = await projects.create({ name: 'On record' });
  const user_id = server.users.find((user) => user.role === 'reader').id;
  await projects.users.create(project.id, { user_id, role: 'member' });
  const rows = await all(auditLogs.list({ project_ids: [project.id] }));
  assert.deepEqual(rows.map((row) => row.type), ['user.added', 'project.created']);
  const [added, created] = rows;
  assert.deepEqual(added['user.added'], { id: user_id, data: { role: 'member' } });
  assert.deepEqual(created.project, { id: project.id, name: 'On record' });
  const { id: owner, email } = added.actor.api_key.user;
  for (const filter of [
    { actor_ids: [owner] },
    { actor_emails: [email] },
    { event_types: ['user.added', 'project.created'] },
    { effective_at: { gte: created.effective_at, lte: added.effective_at } },
  ]) {
    assert.deepEqual(await all(auditLogs.list({ project_ids: [project.id], ...filter })), rows);
  }
  const ofUser = await all(auditLogs.list({ resource_ids: [user_id] }));
  assert.deepEqual(ofUser[0], added);
  assert.deepEqual(await all(auditLogs.list({ tenant_only: true })), []);
});

test('the record is walked to its end both ways', async () => {
  const { auditLogs } = organization;
  const ids = (await all(auditLogs.list({ limit: 100 }))).map((row) => row.id);
  assert.ok(ids.length > 60);
  assert.deepEqual(ids, [...ids].sort().reverse());
  assert.deepEqual((await all(auditLogs.list({ limit: 7 }))).map((row) => row.id), ids);
  const page = await auditLogs.list({ limit: 5, before: ids[20] });
  assert.deepEqual([page.data.map((row) => row.id), page.has_more], [ids.slice(15, 20), true]);
});
