import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { readCases } from './case-fixture.ts';

/** Rules of squawk about style, and about limits that Sluice sets by role (docs/migrations.md). */
const notCompared = [
  'prefer-bigint-over-int',
  'prefer-bigint-over-smallint',
  'prefer-identity',
  'prefer-robust-stmts',
  'prefer-text-field',
  'prefer-timestamp-tz',
  'require-enum-value-ordering',
  'require-lock-timeout',
  'require-statement-timeout',
  'transaction-nesting',
];

/** The program alone: the package around it asks for those of every platform, which not every registry has. */
const program = fileURLToPath(new URL('../../../node_modules/@squawk-cli/linux-x64/bin/squawk', import.meta.url));
const { CI } = process.env;

interface Warning {
  readonly file: string;
  readonly rule_name: string;
}

/** What squawk finds in each file, in alphabetical order. It ends with 1 when it finds anything. */
async function squawk(files: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const args = ['--reporter', 'json', ...notCompared.map((rule) => `--exclude=${rule}`), ...files];
  const run = promisify(execFile)(program, args, { timeout: 60_000, maxBuffer: 64 * 1024 ** 2 });
  const { stdout } = await run.catch((error: unknown) => error as { readonly stdout: string });
  const warnings = JSON.parse(stdout) as readonly Warning[];
  const byFile = Map.groupBy(warnings, ({ file }) => basename(file, '.sql'));
  return new Map(
    [...byFile].map(([name, found]) => [name, [...new Set(found.map((warning) => warning.rule_name))].toSorted()]),
  );
}

const withSquawk = existsSync(program) || CI === 'true' ? test : test.skip;

withSquawk(
  'squawk says of each case what its file says, and another verdict than ours is explained there',
  async (t) => {
    const cases = readCases();
    const found = await squawk(cases.map(({ path }) => path));
    t.true(found.size > 20);
    for (const { name, verdict, squawk: expected, difference } of cases) {
      const warnings = found.get(name) ?? [];
      t.deepEqual(warnings, [...expected], name);
      const differs = (verdict === 'refused') !== warnings.length > 0;
      t.is(
        difference !== undefined,
        differs,
        `${name}: ours is ${verdict}, squawk warns of ${warnings.join(', ') || 'nothing'}`,
      );
    }
  },
);
