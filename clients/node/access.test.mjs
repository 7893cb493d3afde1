// Groups, roles, invites, service accounts and keys through the official Node client, and what a key opens all the while.

import assert from 'node:assert/strict';
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

const gone = (call) => assert.rejects(call, (error) => error instanceof OpenAI.NotFoundError && /not found/.test(error.message));

async function all(list) {
  const rows = [];
  for await (const row of list) rows.push(row);
  return rows;
}

test('a group, who is in it, and the projects that it is in', async () => {
  const { groups, projects } = organization;
  const group = await groups.create({ name: 'Researchers' });
  assert.deepEqual(await groups.retrieve(group.id), group);
  assert.equal((await groups.update(group.id, { name: 'Scientists' })).name, 'Scientists');
  assert.ok((await all(groups.list({ limit: 2 }))).some((row) => row.id === group.id));

  const user_id = server.users[0].id;
  const group_id = group.id;
  for (let round = 0; round < 2; round++) {
    assert.equal((await groups.users.create(group_id, { user_id })).user_id, user_id);
  }
  assert.equal((await groups.users.retrieve(user_id, { group_id })).id, user_id);
  assert.deepEqual((await all(groups.users.list(group_id))).map((row) => row.id), [user_id]);

  const { id: project_id } = await projects.create({ name: 'of groups' });
  const added = await projects.groups.create(project_id, { group_id, role: 'member' });
  assert.deepEqual(await projects.groups.retrieve(group_id, { project_id }), added);
  assert.deepEqual((await all(projects.groups.list(project_id))).map((row) => row.group_id), [group_id]);
  assert.equal((await projects.groups.delete(group_id, { project_id })).deleted, true);
  await gone(projects.groups.retrieve(group_id, { project_id }));

  assert.equal((await groups.users.delete(user_id, { group_id })).deleted, true);
  await gone(groups.users.delete(user_id, { group_id }));
  assert.equal((await groups.delete(group_id)).deleted, true);
  await gone(groups.retrieve(group_id));
});

for (const ofProject of [false, true]) {
  test(`a role of ${ofProject ? 'a project' : 'the organization'} and who has it`, async () => {
    const { id: project_id } = await organization.projects.create({ name: 'of roles' });
    const place = ofProject ? { project_id } : {};
    const { roles, users, groups } = ofProject ? organization.projects : organization;
    const body = { role_name: 'Judge', permissions: ['api.webhooks.read', 'api.groups.read'], description: '' };
    const role = await (ofProject ? roles.create(project_id, body) : roles.create(body));
    assert.deepEqual([role.permissions, role.description], [body.permissions, '']);
    const read = () => (ofProject ? roles.retrieve(role.id, place) : roles.retrieve(role.id));
    assert.deepEqual(await read(), role);
    assert.equal((await roles.update(role.id, { role_name: 'Referee', ...place })).name, 'Referee');
    assert.ok((await all(ofProject ? roles.list(project_id) : roles.list())).some((row) => row.id === role.id));

    const user_id = server.users[1].id;
    const { id: group_id } = await organization.groups.create({ name: 'Judges' });
    if (ofProject) await organization.projects.users.create(project_id, { user_id, role: 'member' });
    for (const [resource, who] of [[users, { user_id }], [groups, { group_id }]]) {
      const [id] = Object.values(who);
      for (let round = 0; round < 2; round++) {
        assert.equal((await resource.roles.create(id, { role_id: role.id, ...place })).role.id, role.id);
      }
      assert.equal((await resource.roles.retrieve(role.id, { ...who, ...place })).id, role.id);
      const listed = await all(ofProject ? resource.roles.list(id, place) : resource.roles.list(id));
      assert.ok(listed.some((row) => row.id === role.id));
      assert.equal((await resource.roles.delete(role.id, { ...who, ...place })).deleted, true);
      await gone(resource.roles.retrieve(role.id, { ...who, ...place }));
    }

    assert.equal((await (ofProject ? roles.delete(role.id, place) : roles.delete(role.id))).deleted, true);
    await gone(read());
  });
}

test('a service account and its keys', async () => {
  const { projects } = organization;
  const { id: project_id } = await projects.create({ name: 'of machines' });
  const account = await projects.serviceAccounts.create(project_id, { name: 'indexer' });
  assert.equal(account.api_key.name, 'Secret Key');
  const bare = await projects.serviceAccounts.create(project_id, { name: 'bare', create_service_account_only: true });
  assert.deepEqual([bare.role, bare.api_key], ['none', null]);
  assert.equal((await projects.serviceAccounts.retrieve(account.id, { project_id })).name, 'indexer');
  assert.equal((await projects.serviceAccounts.update(account.id, { project_id, name: 'crawler' })).name, 'crawler');
  assert.equal((await all(projects.serviceAccounts.list(project_id))).length, 2);
  const key = await projects.serviceAccounts.apiKeys.create(account.id, { project_id, name: 'night' });
  assert.match(key.value, /^sk-svcacct-/);
  const shown = await projects.apiKeys.retrieve(key.id, { project_id });
  assert.equal(shown.owner.service_account.id, account.id);
  assert.ok((await all(projects.apiKeys.list(project_id))).some((row) => row.id === key.id));
  await assert.rejects(projects.apiKeys.delete(key.id, { project_id }), OpenAI.BadRequestError);
  assert.equal((await projects.serviceAccounts.delete(account.id, { project_id })).deleted, true);
  await gone(projects.serviceAccounts.retrieve(account.id, { project_id }));
});

test('a life from the invite to the archive', async () => {
  const { groups, invites, projects, users } = organization;
  const { id: project_id } = await projects.create({ name: 'of a life' });
  const wanted = { email: 'life@example.com', role: 'reader', projects: [{ id: project_id, role: 'member' }] };
  const invite = await invites.create(wanted);
  assert.ok((await all(invites.list())).some((row) => row.id === invite.id));
  const { url } = await server.ask('POST', `/rollbook/v1/invites/${invite.id}/link`);
  const path = new URL(url).pathname;
  for (let round = 0; round < 2; round++) {
    assert.ok((await server.page('GET', path)).includes('life@example.com'));
    assert.equal((await invites.retrieve(invite.id)).status, 'pending', 'a look at the page changes nothing');
  }
  await server.page('POST', path);
  assert.equal((await invites.retrieve(invite.id)).status, 'accepted');
  await assert.rejects(invites.delete(invite.id), /already accepted/);
  const [{ id: user_id }] = await all(users.list({ emails: ['life@example.com'] }));

  const { id: group_id } = await groups.create({ name: 'Living' });
  await groups.users.create(group_id, { user_id });
  await projects.groups.create(project_id, { group_id, role: 'viewer' });
  const own = { role_name: 'Own', permissions: ['api.ours.act'] };
  const { id: role_id } = await projects.roles.create(project_id, own);
  await projects.groups.roles.create(group_id, { project_id, role_id });

  const machine = (await projects.serviceAccounts.create(project_id, { name: 'machine' })).api_key.value;
  const laptop = await server.ask('POST', `/rollbook/v1/projects/${project_id}/api_keys`, { name: 'laptop', user_id });
  const reason = async (key, wish = {}) => (await server.ask('POST', '/rollbook/v1/check', { key, ...wish })).reason;
  const act = { permission: 'api.ours.act' };
  const use = { model: 'gpt-4o' };

  assert.equal(await reason(laptop.value, act), 'allowed');
  assert.equal(await reason(laptop.value, use), 'allowed');
  assert.equal(await reason(machine, use), 'allowed');
  await projects.users.roles.delete('role-api-project-member', { project_id, user_id });
  assert.equal(await reason(laptop.value, use), 'missing_permission');
  await projects.groups.roles.delete(role_id, { project_id, group_id });
  assert.equal(await reason(laptop.value, act), 'missing_permission');
  await users.delete(user_id);
  assert.equal(await reason(laptop.value), 'owner_left');
  assert.equal(await reason(machine, use), 'allowed');
  await projects.archive(project_id);
  assert.equal(await reason(machine), 'project_archived');
});
