// The page of the emulator shows a setup of Jest that works.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = resolve(here, '../..');
const built = join(resolve(process.env.CARGO_TARGET_DIR ?? join(root, 'target')), 'debug');

/** The only block of code in this language below this heading of the page. */
function block(language, heading) {
  const page = readFileSync(join(root, 'docs/emulator.md'), 'utf8');
  const section = page.split(`\n## ${heading}\n`)[1].split('\n## ')[0];
  const found = [...section.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))];
  assert.equal(found.length, 1);
  return found[0][1];
}

test('the page shows a setup of Jest that works', () => {
  // Beside the installed packages, so that the test finds them as it would at home.
  const folder = mkdtempSync(join(here, '.jest-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }');
    writeFileSync(join(folder, 'admin.test.js'), block('js', 'In Jest'));
    const own = Object.entries(process.env).filter(([name]) => !/^(ROLLBOOK|OPENAI|NODE_TEST)_/.test(name));
    const env = { ...Object.fromEntries(own), PATH: `${built}${delimiter}${process.env.PATH}` };
    const jest = join(here, 'node_modules/jest/bin/jest.js');
    const report = join(folder, 'report.json');
    const flags = ['--rootDir', folder, '--json', '--outputFile', report, '--silent'];
    execFileSync(process.execPath, [jest, ...flags], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
    const { numPassedTests, numTotalTests } = JSON.parse(readFileSync(report, 'utf8'));
    assert.deepEqual([numPassedTests, numTotalTests], [2, 2]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
