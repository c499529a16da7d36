import test from 'ava';
import { isMap, isPair, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Pair } from 'yaml';
import { compileText } from './compile-fixture.ts';
import { parsePipelineFile } from './parse-file.ts';

/** Everything in it that can refer to something else does. */
const pipeline = `pipeline: tasks-api
on: { push: { branches: [main] }, schedule: [{ cron: "0 3 * * *", timezone: Europe/London }] }
env: { CI: "true" }
runtime: node-22
timeout: 2h
concurrency: { group: "deploy-\${{ branch }}", policy: cancel }
steps:
  lint: { run: npm run lint, needs: [] }
  unit:
    needs: []
    matrix: { node: ["22", "24"], max-parallel: 1 }
    image: node:\${{ matrix.node }}
    services: { db: { image: "postgres:16", port: 5432 } }
    env: { URL: "\${{ services.db.url }}" }
    run: npm test
    junit: { paths: ["\${{ matrix.node }}.xml"], allow-empty: true }
    cache: { key: "npm-\${{ hashFiles('package-lock.json') }}", paths: [~/.npm] }
    retry: { max: 2, on: [errored] }
  build:
    needs: [lint, { step: unit, allow: [skipped] }]
    run: make
    outputs: { paths: [dist], values: [DIGEST] }
  load:
    uses: ./ci/load.yaml
    with: { users: "10", tag: "\${{ needs.build.outputs.DIGEST }}" }
    secrets: [K6_TOKEN]
  check: { uses: validate, with: { run: make lint }, secrets: [NPM_TOKEN], needs: [load] }
  ask:
    needs: [load, check]
    if: needs.load.outputs.p95 != ''
    approval: { message: "p95 is \${{ needs.load.outputs.p95 }}", timeout: 1h }
  ship:
    needs: [ask, build]
    if: needs.build.outcome == 'succeeded'
    env: { DIGEST: "\${{ needs.build.outputs.DIGEST }}" }
    run: ./ship.sh
finally:
  report: { run: ./report.sh, env: { OUTCOME: "\${{ run.outcome }}" } }
  after: { run: ./after.sh, needs: [report], if: needs.report.outcome == 'failed' }
`;
const workflow = `workflow: load
inputs: { users: { type: number, required: true }, tag: {} }
outputs: { p95: { value: "\${{ steps.k6.outputs.P95 }}" } }
steps:
  prepare: { run: ./prepare.sh, outputs: { values: [SEED] } }
  k6:
    run: k6 run load.js
    secrets: [K6_TOKEN]
    env: { USERS: "\${{ inputs.users }}", TAG: "\${{ inputs.tag }}", SEED: "\${{ needs.prepare.outputs.SEED }}" }
    outputs: { values: [P95] }
`;

interface Files {
  readonly pipeline: string;
  readonly workflow: string;
}

function codesOf({ pipeline, workflow }: Files): readonly string[] {
  const files = [{ path: 'package-lock.json', oid: 'a' }];
  const compiled = compileText(pipeline, { files, workflows: { 'ci/load.yaml': workflow } });
  return compiled.ok ? [] : compiled.problems.map(({ file, line, code }) => `${file}:${line} ${code}`);
}

/** One file for each change of each of its pairs. */
function* damaged(text: string): Generator<readonly [title: string, text: string]> {
  for (let index = 0; ; index += 1) {
    for (const [name, change] of Object.entries(changes)) {
      const document = parseDocument(text);
      const pairs: Pair[] = [];
      visit(document, { Pair: (_, pair) => void pairs.push(pair) });
      const pair = pairs[index];
      if (!isPair(pair)) return;
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      change(pair);
      yield [`${name} ${index} ${key}`, document.toString({ lineWidth: 0 })];
    }
  }
}

const changes: Readonly<Record<string, (pair: Pair) => void>> = {
  misspelt: (pair) => {
    if (isScalar(pair.key)) pair.key.value = `${String(pair.key.value)}x`;
  },
  'of another kind': (pair) => {
    pair.value = isMap(pair.value) || isSeq(pair.value) ? 'text' : { strange: { things: [1] } };
  },
  empty: (pair) => {
    pair.value = null;
  },
};

/** What the mistakes of form alone are. */
function formOf(text: string): readonly string[] {
  const parsed = parsePipelineFile(text, 'sluice.yaml');
  return parsed.ok ? [] : parsed.problems.map(({ file, line, code }) => `${file}:${line} ${code}`);
}

test('both files are right as they are', (t) => {
  t.deepEqual(codesOf({ pipeline, workflow }), []);
});

test('a mistake of form has no consequences elsewhere, wherever it is made', (t) => {
  let count = 0;
  for (const [title, text] of damaged(pipeline)) {
    const form = formOf(text);
    // Names of steps, variables and values may be any.
    if (form.length === 0) continue;
    t.deepEqual(codesOf({ pipeline: text, workflow }), form, `${title}\n${text}`);
    count += 1;
  }
  t.true(count > 150, `${count}`);
});

test('nor has one in a workflow file', (t) => {
  let count = 0;
  for (const [title, text] of damaged(workflow)) {
    const found = codesOf({ pipeline, workflow: text });
    if (found.length === 0 || found.some((line) => line.startsWith('sluice.yaml') && /unknown|missing/.test(line)))
      continue;
    t.true(
      found.every((line) => line.startsWith('ci/load.yaml')),
      `${title}\n${found.join('\n')}\n${text}`,
    );
    count += 1;
  }
  t.true(count > 30, `${count}`);
});
