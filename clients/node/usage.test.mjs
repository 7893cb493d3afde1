// What was used and what it cost, as the official Node client gets it: each of the eleven methods, walked to its end.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { filledServer } from './server.mjs';

const DAY = 24 * 60 * 60;
const today = Math.floor(Date.now() / 1000 / DAY) * DAY;
const range = { start_time: today - 2 * DAY, end_time: today + DAY };

/** The method of each kind, how a row of it is called, and what is counted. */
const kinds = {
  completions: ['completions', 'completions', { input_tokens: 7, output_tokens: 3, num_model_requests: 1 }],
  embeddings: ['embeddings', 'embeddings', { input_tokens: 7, num_model_requests: 1 }],
  moderations: ['moderations', 'moderations', { input_tokens: 7, num_model_requests: 1 }],
  images: ['images', 'images', { images: 2, num_model_requests: 1 }],
  audio_speeches: ['audioSpeeches', 'audio_speeches', { characters: 9, num_model_requests: 1 }],
  audio_transcriptions: ['audioTranscriptions', 'audio_transcriptions', { seconds: 60, num_model_requests: 1 }],
  vector_stores: ['vectorStores', 'vector_stores', { usage_bytes: 1024 }],
  code_interpreter_sessions: ['codeInterpreterSessions', 'code_interpreter_sessions', { num_sessions: 5 }],
  file_search_calls: ['fileSearchCalls', 'file_searches', { num_requests: 6 }],
  web_search_calls: ['webSearchCalls', 'web_searches', { num_model_requests: 1, num_requests: 2 }],
};
const ofAProject = ['vector_stores', 'code_interpreter_sessions'];
const withoutModel = ['vector_stores', 'code_interpreter_sessions', 'file_search_calls'];

let server;
let organization;
let project_id;

before(async () => {
  server = await filledServer({ people: 2, projects: 1, prices: ['m images=0.04'] });
  organization = server.client().admin.organization;
  project_id = (await organization.projects.create({ name: 'Used' })).id;
  const events = Object.entries(kinds).map(([kind, [, , measures]]) => ({
    id: kind,
    time: Math.floor(Date.now() / 1000),
    kind,
    project_id,
    ...(ofAProject.includes(kind) ? {} : { api_key_id: 'key_x' }),
    ...(withoutModel.includes(kind) ? {} : { model: 'm' }),
    ...measures,
  }));
  const answer = await server.ask('POST', '/rollbook/v1/usage_events', events);
  assert.deepEqual([answer.accepted, answer.refused], [events.length, 0], JSON.stringify(answer));
});

after(() => server?.stop());

async function walk(method, query) {
  let page = await method(query);
  const buckets = [...page.data];
  while (page.has_more) {
    page = await method({ ...query, page: page.next_page });
    buckets.push(...page.data);
  }
  assert.equal(page.next_page, null);
  assert.deepEqual(buckets.map((bucket) => bucket.start_time), [0, 1, 2].map((day) => range.start_time + day * DAY));
  return buckets;
}

for (const [kind, [name, object, measures]] of Object.entries(kinds)) {
  test(`${kind} are walked to their end`, async () => {
    const method = (query) => organization.usage[name](query);
    const buckets = await walk(method, { ...range, limit: 1, group_by: ['project_id'] });
    assert.deepEqual(buckets.map((bucket) => bucket.results.length), [0, 0, 1]);
    const [row] = buckets[2].results;
    assert.deepEqual([row.object, row.project_id], [`organization.usage.${object}.result`, project_id]);
    for (const [measure, number] of Object.entries(measures)) assert.equal(row[measure], number, measure);
  });
}

test('a long answer arrives compressed', async () => {
  const query = { ...range, bucket_width: '1m', limit: 1440, group_by: ['project_id'] };
  const { data, response } = await organization.usage.completions(query).withResponse();
  assert.equal(response.headers.get('content-encoding'), 'gzip');
  assert.equal(data.data.length, 1440);
  assert.deepEqual(data.data.map((bucket) => bucket.start_time), Array.from({ length: 1440 }, (_, minute) => range.start_time + minute * 60));
});

test('costs are walked to their end', async () => {
  const method = (query) => organization.usage.costs(query);
  const buckets = await walk(method, { ...range, limit: 1, group_by: ['line_item'] });
  assert.deepEqual(buckets.map((bucket) => bucket.results.length), [0, 0, 1]);
  const [row] = buckets[2].results;
  assert.deepEqual([row.object, row.line_item], ['organization.costs.result', 'm, images']);
  assert.deepEqual(row.amount, { value: 0.08, currency: 'usd' });
  assert.deepEqual([row.quantity, row.quantity_unit], [2, 'images']);
});
