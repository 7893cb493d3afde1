// Certificates and hosted tools through the official Node client.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { filledServer } from './server.mjs';

const text = (kind) => readFileSync(new URL(`../../admin/src/resources/certificates/examples/${kind}.pem`, import.meta.url), 'utf8');

let server;
let organization;

before(async () => {
  server = await filledServer({ people: 2, projects: 1 });
  organization = server.client().admin.organization;
});

after(() => server?.stop());

async function all(list) {
  const rows = [];
  for await (const row of list) rows.push(row);
  return rows;
}

test('certificates, and where they are active', async () => {
  const { certificates, projects } = organization;
  const ids = [];
  for (const kind of ['ec', 'ed25519', 'rsa']) ids.push((await certificates.create({ certificate: text(kind) })).id);
  const [first, second, third] = ids;
  assert.equal((await certificates.retrieve(first)).certificate_details.content, undefined);
  assert.equal((await certificates.retrieve(first, { include: ['content'] })).certificate_details.content, text('ec'));
  assert.equal((await certificates.update(first, { name: 'Gateway' })).name, 'Gateway');
  assert.deepEqual((await all(certificates.list({ limit: 2 }))).map((row) => row.id), [third, second, first]);

  const { id } = await projects.create({ name: 'of certificates' });
  const turn = (body) => [certificates.activate(body), projects.certificates.activate(id, body)];
  for (const page of await Promise.all(turn({ certificate_ids: [third, first] }))) {
    assert.deepEqual(page.data.map((row) => [row.id, row.active]), [[third, true], [first, true]]);
  }
  const listed = await all(projects.certificates.list(id, { order: 'asc' }));
  assert.deepEqual(listed.map((row) => row.active), [true, false, true]);
  await assert.rejects(certificates.delete(first), (error) => error instanceof OpenAI.BadRequestError && /is active in/.test(error.message));

  const body = { certificate_ids: ids };
  for (const page of await Promise.all([certificates.deactivate(body), projects.certificates.deactivate(id, body)])) {
    assert.deepEqual(page.data.map((row) => row.active), [false, false, false]);
  }
  for (const id of ids) assert.deepEqual(await certificates.delete(id), { object: 'certificate.deleted', id });
  assert.deepEqual(await all(certificates.list()), []);
});

test('a project that does without a tool', async () => {
  const { id } = await organization.projects.create({ name: 'of tools' });
  const tools = organization.projects.hostedToolPermissions;
  const enabled = await tools.retrieve(id);
  assert.deepEqual(Object.values(enabled).map((tool) => tool.enabled), [true, true, true, true, true]);
  const changed = await tools.update(id, { mcp: { enabled: false }, web_search: null });
  assert.deepEqual(changed, { ...enabled, mcp: { enabled: false } });
  assert.deepEqual(await tools.retrieve(id), changed);
});
