// The official Node client walks every list to its end and gets exactly what was put in, whatever the page size.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { filledServer } from './server.mjs';

const PEOPLE = 2000;
const PROJECTS = 30;

let server;
let organization;

before(async () => {
  server = await filledServer({ people: PEOPLE, projects: PROJECTS });
  organization = server.client().admin.organization;
});

after(() => server?.stop());

const pick = (row, members) => Object.fromEntries(members.map((member) => [member, row[member]]));

/** The order of every list: the bytes of the id. */
const byId = (rows) => [...rows].sort((one, other) => Buffer.compare(Buffer.from(one.id), Buffer.from(other.id)));

/** The named members of every row of a walk, whose pages must be as full as they should be. */
async function walk(list, limit, members) {
  const pages = [];
  for await (const page of (await list).iterPages()) pages.push(page);
  const last = pages.pop();
  assert.equal(last.has_more, false);
  for (const page of pages) assert.deepEqual([page.data.length, page.has_more], [limit, true]);
  return [...pages, last].flatMap((page) => page.data).map((row) => pick(row, members));
}

for (const limit of [1, 20, 100]) {
  test(`users, ${limit} a page`, async () => {
    const members = ['id', 'email', 'name', 'role'];
    const expected = byId(server.users).map((user) => pick(user, members));
    assert.ok(expected.length >= PEOPLE);
    assert.deepEqual(await walk(organization.users.list({ limit }), limit, members), expected);
  });

  test(`users in one loop, ${limit} a page behind it`, async () => {
    const ids = [];
    for await (const user of organization.users.list({ limit })) ids.push(user.id);
    assert.deepEqual(ids, byId(server.users).map((user) => user.id));
  });

  for (const include_archived of [true, false, undefined]) {
    test(`projects, include_archived ${include_archived}, ${limit} a page`, async () => {
      const members = ['id', 'name', 'status'];
      const shown = server.projects.filter((project) => include_archived || project.status === 'active');
      const found = await walk(organization.projects.list({ limit, include_archived }), limit, members);
      assert.deepEqual(found, byId(shown).map((project) => pick(project, members)));
    });
  }

  test(`members of each project, ${limit} a page`, async () => {
    const members = ['id', 'email', 'role'];
    const active = server.projects.filter((project) => project.status === 'active');
    assert.ok(active.some((project) => project.members.length > 100));
    for (const project of active) {
      const found = await walk(organization.projects.users.list(project.id, { limit }), limit, members);
      assert.deepEqual(found, byId(project.members).map((member) => pick(member, members)));
    }
  });
}
