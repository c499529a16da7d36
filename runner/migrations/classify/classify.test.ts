import test from 'ava';
import type { Catalog, CatalogTable } from '../catalog.ts';
import { readCases } from './case-fixture.ts';
import { classify, classifyScripts } from './classify.ts';
import type { ClassifyOptions } from './classify.ts';

const today = '2026-11-28';
const cases = readCases();

const classified = (sql: string, options: Partial<ClassifyOptions> = {}) =>
  classify(sql, { file: 'm.sql', today, ...options });

const codes = async (sql: string, options: Partial<ClassifyOptions> = {}) =>
  (await classified(sql, options)).problems.map(({ code }) => code);

for (const { name, sql, class: expected, verdict, rules } of cases) {
  test(`${name} is ${expected} and ${verdict}`, async (t) => {
    const found = await classified(sql);
    const waived = found.statements.flatMap(({ findings }) => findings.map(({ rule }) => rule));
    const all = new Set([...waived, ...found.problems.map(({ code }) => code)]);
    t.deepEqual(
      { class: found.class, verdict: found.verdict, rules: [...all].toSorted() },
      { class: expected as typeof found.class, verdict: verdict as typeof found.verdict, rules: [...rules] },
    );
  });
}

test('there are at least 40 cases, with every class and both verdicts', (t) => {
  t.true(cases.length >= 40);
  t.deepEqual([...new Set(cases.map((each) => each.class))].toSorted(), [
    'breaking',
    'contract',
    'data',
    'expand',
    'none',
  ]);
  t.deepEqual([...new Set(cases.map(({ verdict }) => verdict))].toSorted(), ['accepted', 'refused']);
});

test('a problem names file, line and column in characters, past letters of several bytes and comments', async (t) => {
  const sql = '-- größer 😀\nSELECT 1; /* ß */ ALTER TABLE "größe"\n  ADD COLUMN é uuid DEFAULT gen_random_uuid();\n';
  const [problem] = (await classified(sql)).problems;
  t.like(problem, { code: 'rewriting-column', file: 'm.sql', line: 3, column: 14, length: 1 });
  const [wrong] = (await classified('-- é 😀\nSELECT 1;\n  ALTER TABLE t ADDD x int;')).problems;
  t.like(wrong, { code: 'syntax-error', line: 3, column: 17 });
});

test('the contract phase takes away what it is told to, and locks are refused there too', async (t) => {
  const phase = 'contract';
  t.deepEqual(await codes('ALTER TABLE users DROP COLUMN nickname;', { phase }), []);
  t.deepEqual(await codes('ALTER TABLE users ALTER COLUMN email SET NOT NULL;', { phase }), ['not-null-scan']);
  t.deepEqual(await codes('ALTER TABLE users RENAME TO accounts;', { phase }), ['rename']);
});

test('a waiver stands before its statement, inside it, or behind it on its line; and for one rule and statement', async (t) => {
  const allow = 'sluice:allow drop-table until 2027-01-31: nobody reads it';
  t.deepEqual(await codes(`/* ${allow} */\nDROP TABLE a;`), []);
  t.deepEqual(await codes(`DROP TABLE\n  -- ${allow}\n  a;`), []);
  t.deepEqual(await codes(`DROP TABLE a; -- ${allow}\nSELECT 1;`), []);
  t.deepEqual(await codes(`-- ${allow}\nDROP TABLE a;\nDROP TABLE b;`), ['drop-table']);
  t.deepEqual(await codes(`SELECT '-- ${allow}';\nDROP TABLE a;`), ['drop-table']);
  t.deepEqual(await codes(`DROP TABLE a;\n-- ${allow}`), ['drop-table', 'waiver-unused']);
});

test('a waiver holds through its last day, and no day that the calendar lacks is one', async (t) => {
  const waived = (day: string) => codes(`-- sluice:allow drop-table until ${day}: why\nDROP TABLE a;`);
  t.deepEqual(await waived(today), []);
  t.deepEqual(await waived('2026-11-27'), ['waiver-expired', 'drop-table']);
  t.deepEqual(await waived('2027-02-30'), ['waiver-malformed', 'drop-table']);
  t.deepEqual(await codes('-- sluice:allow drop-tabel until 2027-01-31: why\nSELECT 1;'), ['waiver-unknown-rule']);
});

test('what an earlier script of the release makes is new to the later ones', async (t) => {
  const scripts = [
    { file: '1.sql', sql: 'CREATE TABLE drafts (id int);' },
    { file: '2.sql', sql: 'CREATE INDEX drafts_id ON drafts (id);' },
  ];
  const results = await classifyScripts(scripts, { today });
  t.deepEqual(
    results.map(({ verdict }) => verdict),
    ['accepted', 'accepted'],
  );
  t.is((await classifyScripts(scripts.toReversed(), { today }))[0]?.verdict, 'refused');
});

test('what a block may have skipped is not new', async (t) => {
  const block = 'DO $$ BEGIN CREATE TABLE t (a int); EXCEPTION WHEN OTHERS THEN NULL; END $$;';
  t.deepEqual(await codes(`${block} CREATE INDEX i ON t (a);`), ['index-without-concurrently']);
});

const table = (facts: Partial<CatalogTable>): CatalogTable => ({
  rows: 5_000_000,
  bytes: 1e9,
  columns: new Map(),
  checkedNotNull: new Set(),
  unique: new Set(),
  ...facts,
});
const catalog = (facts: Partial<CatalogTable>): Catalog => ({ tables: new Map([['public.users', table(facts)]]) });

test('the catalog tells which changes of type keep the rows', async (t) => {
  const change = (from: string, to: string, using = '') =>
    codes(`ALTER TABLE users ALTER COLUMN name TYPE ${to} ${using};`, {
      catalog: catalog({ columns: new Map([['name', from]]) }),
    });
  const kept = [
    ['character varying(100)', 'varchar(200)'],
    ['character varying(100)', 'text'],
    ['text', 'varchar'],
    ['numeric(8,2)', 'numeric(10,2)'],
    ['integer', 'int'],
  ] as const;
  for (const [from, to] of kept) t.deepEqual(await change(from, to), [], `${from} to ${to}`);
  const rewritten = [
    ['character varying(200)', 'varchar(100)'],
    ['text', 'varchar(10)'],
    ['numeric(8,2)', 'numeric(10,3)'],
    ['numeric', 'numeric(10,2)'],
    ['integer', 'bigint'],
  ] as const;
  for (const [from, to] of rewritten) t.deepEqual(await change(from, to), ['column-type-change'], `${from} to ${to}`);
  t.deepEqual(await change('text', 'text', 'USING lower(name)'), ['column-type-change']);
});

test('the catalog tells what is validated, unique, and small', async (t) => {
  const setNotNull = 'ALTER TABLE users ALTER COLUMN email SET NOT NULL;';
  t.deepEqual(await codes(setNotNull, { catalog: catalog({ checkedNotNull: new Set(['email']) }) }), ['set-not-null']);
  const drop = 'ALTER TABLE users DROP CONSTRAINT users_email;';
  t.deepEqual(await codes(drop, { catalog: catalog({ unique: new Set(['users_email']) }) }), ['drop-unique']);
  t.deepEqual(await codes(drop, { catalog: catalog({}) }), []);
  const index = 'CREATE INDEX i ON users (email); UPDATE users SET active = true;';
  t.deepEqual(await codes(index, { catalog: catalog({ rows: 12 }) }), []);
  const never = catalog({ rows: undefined });
  t.deepEqual(await codes(index, { catalog: never }), ['index-without-concurrently', 'unbatched-change']);
});

test('without a transaction of the tool CONCURRENTLY is right', async (t) => {
  const sql = 'CREATE INDEX CONCURRENTLY i ON users (email);';
  t.deepEqual(await codes(sql), ['concurrently-in-transaction']);
  t.deepEqual(await codes(sql, { transactional: false }), []);
});

test('a statement that no rule knows is refused', async (t) => {
  t.deepEqual(await codes("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p;"), ['unknown-statement']);
});

test('control characters, quotes and an unfinished text end in a problem or none, never in an error', async (t) => {
  t.deepEqual(await codes('SELECT \'\u0001\\"\'; -- \u0002 "\n'), []);
  t.deepEqual(await codes("SELECT 'a"), ['syntax-error']);
  t.deepEqual(await codes(';;\n;'), []);
  t.deepEqual(await codes('\\connect app'), ['syntax-error']);
});
