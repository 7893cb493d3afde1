// How data is kept, alerts and limits of what is spent, through the official Node client: each method once at each level.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { filledServer } from './server.mjs';

const dollars = { currency: 'USD', interval: 'month' };

let server;
let organization;

before(async () => {
  server = await filledServer({ people: 2, projects: 1 });
  organization = server.client().admin.organization;
});

after(() => server?.stop());

const gone = (call) => assert.rejects(call, (error) => error instanceof OpenAI.NotFoundError && /not found/.test(error.message));

async function all(list) {
  const rows = [];
  for await (const row of list) rows.push(row);
  return rows;
}

for (const ofProject of [false, true]) {
  const level = ofProject ? 'project' : 'organization';
  const parts = async () => {
    if (!ofProject) return { resources: organization, place: [], named: [] };
    const { id } = await organization.projects.create({ name: 'of money' });
    return { resources: organization.projects, place: [id], named: [{ project_id: id }] };
  };

  test(`how data of the ${level} is kept`, async () => {
    const { resources: { dataRetention }, place } = await parts();
    assert.equal((await dataRetention.retrieve(...place)).type, ofProject ? 'organization_default' : 'modified_abuse_monitoring');
    const changed = await dataRetention.update(...place, { retention_type: 'zero_data_retention' });
    assert.deepEqual(changed, { object: `${level}.data_retention`, type: 'zero_data_retention' });
    assert.deepEqual(await dataRetention.retrieve(...place), changed);
  });

  test(`a limit of the ${level} from its beginning to its end`, async () => {
    const { resources: { spendLimit }, place } = await parts();
    await gone(spendLimit.retrieve(...place));
    const limit = await spendLimit.update(...place, { threshold_amount: 250_000, ...dollars });
    assert.deepEqual(limit.enforcement, { status: 'inactive' });
    assert.deepEqual(await spendLimit.retrieve(...place), limit);
    assert.deepEqual(await spendLimit.delete(...place), { object: `${level}.spend_limit.deleted`, deleted: true });
    await gone(spendLimit.delete(...place));
  });

  test(`alerts of the ${level} from their creation to their end`, async () => {
    const { resources: { spendAlerts }, place, named } = await parts();
    const notification_channel = { type: 'email', recipients: ['z@example.com', 'a@example.com'], subject_prefix: '' };
    const made = [];
    for (let cents = 0; cents < 5; cents++) {
      made.push(await spendAlerts.create(...place, { threshold_amount: cents, notification_channel, ...dollars }));
    }
    const [first] = made;
    assert.deepEqual(first.notification_channel, notification_channel);
    assert.deepEqual(await spendAlerts.retrieve(first.id, ...named), first);
    assert.deepEqual(await all(spendAlerts.list(...place, { limit: 2 })), made);
    const body = { threshold_amount: 7, notification_channel: { ...notification_channel, subject_prefix: null }, ...dollars };
    const changed = await spendAlerts.update(first.id, { ...body, ...named[0] });
    assert.deepEqual([changed.threshold_amount, changed.notification_channel.subject_prefix], [7, null]);
    for (const { id } of made) assert.equal((await spendAlerts.delete(id, ...named)).deleted, true);
    await gone(spendAlerts.retrieve(first.id, ...named));
    assert.deepEqual(await all(spendAlerts.list(...place)), []);
  });
}
