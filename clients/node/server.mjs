// Runs a server of one's own, filled with made-up people, on a fresh store: a SQLite file, or a database of its own on the
// PostgreSQL server that ROLLBOOK_TEST_STORE names.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = resolve(process.env.CARGO_TARGET_DIR ?? join(root, 'target'));

// A key or an organization of the surrounding shell has no place in these tests.
for (const name of Object.keys(process.env)) if (name.startsWith('OPENAI_')) delete process.env[name];

/** The URL of an empty store, and what removes it. */
function freshStore() {
  const store = process.env.ROLLBOOK_TEST_STORE ?? 'file';
  if (store === 'file') {
    const folder = mkdtempSync(join(tmpdir(), 'rollbook-clients-'));
    return { url: `sqlite:${folder}/rollbook.db`, remove: () => rmSync(folder, { recursive: true }) };
  }
  assert.match(store, /^postgres(ql)?:\/\//, "ROLLBOOK_TEST_STORE is 'file' or a PostgreSQL URL");
  const name = `clients_${randomBytes(8).toString('hex')}`;
  const statement = (sql) => execFileSync('psql', [store, '--quiet', '--set=ON_ERROR_STOP=1', '--command', sql]);
  statement(`CREATE DATABASE ${name}`);
  const url = new URL(store);
  url.pathname = `/${name}`;
  return { url: url.href, remove: () => statement(`DROP DATABASE ${name} WITH (FORCE)`) };
}

/**
 * Fills a fresh store with this many people and projects and serves it with these models and prices of the operator. `stop` ends the server
 * and removes the store.
 */
export async function filledServer({ people, projects, models = [], prices = [] }) {
  const store = freshStore();
  const key = `sk-admin-${randomBytes(32).toString('hex')}`;
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('ROLLBOOK_'));
  const env = { ...Object.fromEntries(own), ROLLBOOK_BOOTSTRAP_KEY: key };
  const size = ['--people', String(people), '--projects', String(projects)];
  const filled = execFileSync(join(target, 'debug/examples/populate'), ['--database', store.url, ...size], {
    env,
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });

  const settings = models.flatMap((model) => ['--model', model]).concat(prices.flatMap((price) => ['--price', price]));
  const server = spawn(join(target, 'debug/rollbook'), ['serve', '--listen', '127.0.0.1:0', '--database', store.url, ...settings], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(server, 'exit');
  const address = await listeningAddress(server.stderr);
  assert.equal((await fetch(`${address}/readyz`)).status, 200);

  return {
    ...JSON.parse(filled),
    /** An official client, of the owner or of another key. It does not try again by itself: a test sees the first answer. */
    client: (adminAPIKey = key) =>
      new OpenAI({ adminAPIKey, apiKey: null, baseURL: `${address}/v1`, maxRetries: 0, timeout: 30_000 }),
    /** The answer to a request for which the official clients have no method. */
    async ask(method, path, body) {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const answer = await fetch(address + path, { method, headers, body: body && JSON.stringify(body) });
      assert.equal(answer.status, 200, `${method} ${path}`);
      return answer.json();
    },
    /** A page as a browser gets it, without any key; a form is sent empty. */
    async page(method, path) {
      const body = method === 'POST' ? new URLSearchParams() : undefined;
      const answer = await fetch(address + path, { method, body });
      assert.equal(answer.status, 200, `${method} ${path}`);
      return answer.text();
    },
    async stop() {
      server.kill('SIGTERM');
      assert.deepEqual(await exited, [0, null]);
      store.remove();
    },
  };
}

/** Reads the server's log up to the line that says where it listens, and lets the rest flow by. */
function listeningAddress(stream) {
  const seen = [];
  return new Promise((found, failed) => {
    const lines = createInterface({ input: stream });
    lines.on('line', (line) => {
      seen.push(line);
      const match = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line);
      if (match) found(match[1]);
    });
    lines.on('close', () => failed(new Error(`the server ended before it listened:\n${seen.join('\n')}`)));
  });
}
