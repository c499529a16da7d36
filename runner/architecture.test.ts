import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import test from 'ava';
import ts from 'typescript';

/** A row of the table in docs/architecture.md. */
interface Row {
  readonly mayImport: readonly string[];
  readonly packages: readonly string[];
}

type Table = ReadonlyMap<string, Row>;
/** Text by path below `runner/`. */
type Sources = ReadonlyMap<string, string>;

interface Facts {
  readonly imports: readonly string[];
  readonly habits: readonly string[];
}

const isTest = (file: string): boolean => /(\.test|-contract|-fixture)\.ts$|\/fixtures\//.test(file);
/** Rooms that decide and never act; `generate` runs when the project is built. */
const isPure = (file: string): boolean => /^(expressions|language(?!\/generate)|scheduler)\//.test(file);
const roomOf = (file: string): string => (file.includes('/') ? file.slice(0, file.indexOf('/')) : '');

function readTable(page: string): Table {
  const names = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  const rows = page.matchAll(/^\| `([\w.-]+)` \|[^|]*\|([^|]*)\|([^|]*)\|$/gm);
  return new Map(
    [...rows].map(([, room = '', rooms, packages]) => [room, { mayImport: names(rooms), packages: names(packages) }]),
  );
}

function violations(table: Table, sources: Sources): readonly string[] {
  const facts = new Map([...sources].map(([file, text]) => [file, factsOf(file, text)]));
  const graph = new Map([...facts].map(([file, { imports }]) => [file, localImports(file, imports)]));
  const checked = [...facts].filter(([file]) => !isTest(file));
  const rooms = new Set([...sources.keys()].map(roomOf).filter((room) => room !== ''));
  return [
    ...checked.flatMap(([file, { habits }]) => habits.map((habit) => `${file} ${habit}`)),
    ...checked.flatMap(([file]) => wrongRooms(table, file, graph.get(file) ?? [])),
    ...checked.flatMap(([file, { imports }]) => wrongPackages(table, file, imports)),
    ...cycles(graph).map((cycle) => `imports in a circle: ${cycle.join(' → ')}`),
    ...[...rooms].filter((room) => !table.has(room)).map((room) => `the room ${room} has no row in the table`),
  ];
}

function factsOf(file: string, text: string): Facts {
  const imports: string[] = [];
  const habits: string[] = [];
  const visit = (node: ts.Node): void => {
    imports.push(...specifiersOf(node));
    habits.push(...habitsOf(node, file));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return { imports, habits };
}

/** The module that an import, an export from, a type `import('…')` or a call of `import('…')` names. */
function specifiersOf(node: ts.Node): readonly string[] {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return literal(node.moduleSpecifier);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return literal(node.argument.literal);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return node.arguments.flatMap(literal);
  return [];
}

function literal(node: ts.Node | undefined): readonly string[] {
  return node && ts.isStringLiteral(node) ? [node.text] : [];
}

/** Programs of their own, which nothing but their environment tells anything. */
const programs: ReadonlySet<string> = new Set(['agent/main.ts']);

function habitsOf(node: ts.Node, file: string): readonly string[] {
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) return ['passes on what another file exports'];
  if (ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword) return ['has a default export'];
  if (isPure(file) && actsIn(node)) return ['acts, and its room only decides'];
  if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression)) return [];
  const object = node.expression.text;
  const room = roomOf(file);
  if (object === 'console' && !['cli', 'launch'].includes(room)) return ['writes to the console'];
  const readsEnvironment = object === 'process' && node.name.text === 'env';
  const mayRead = ['config', 'launch'].includes(room) || programs.has(file);
  return readsEnvironment && !mayRead ? ['reads the environment'] : [];
}

/** A clock, a wait, chance, or a module of Node other than for checksums. */
function actsIn(node: ts.Node): boolean {
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return true;
  if (ts.isImportDeclaration(node)) return literal(node.moduleSpecifier).some((name) => /^node:(?!crypto$)/.test(name));
  if (ts.isNewExpression(node)) return ts.isIdentifier(node.expression) && node.expression.text === 'Date';
  return ts.isPropertyAccessExpression(node) && /^(Date\.now|Math\.random|performance\.now)$/.test(dotted(node));
}

function dotted({ expression, name }: ts.PropertyAccessExpression): string {
  return ts.isIdentifier(expression) ? `${expression.text}.${name.text}` : '';
}

function localImports(file: string, imports: readonly string[]): readonly string[] {
  return imports.filter((name) => name.startsWith('.')).map((name) => posix.join(posix.dirname(file), name));
}

/** Files directly in `runner/` may import every room; no room may import them. */
function wrongRooms(table: Table, file: string, targets: readonly string[]): readonly string[] {
  const room = roomOf(file);
  if (room === '') return [];
  const allowed = [room, ...(table.get(room)?.mayImport ?? [])];
  const fits = (target: string): boolean =>
    allowed.some((entry) => target === `${entry}.ts` || target.startsWith(`${entry}/`));
  return targets.filter((target) => !fits(target)).map((target) => `${file} imports ${target}`);
}

function wrongPackages(table: Table, file: string, imports: readonly string[]): readonly string[] {
  const owned = table.get(roomOf(file) || file)?.packages ?? [];
  return imports
    .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
    .filter((name) => !owned.includes(name))
    .map((name) => `${file} imports the package ${name}`);
}

/** Each circle once, from the file where the walk entered it. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const found: (readonly string[])[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start !== -1) found.push([...path.slice(start), file]);
    if (start !== -1 || done.has(file)) return;
    for (const target of graph.get(file) ?? []) walk(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return found;
}

const page = readFileSync('docs/architecture.md', 'utf8');

test('the sources keep to the table of docs/architecture.md', (t) => {
  const files = globSync('**/*.{ts,js}', { cwd: 'runner', exclude: ['**/node_modules'] });
  const sources = new Map(files.map((file) => [file, readFileSync(join('runner', file), 'utf8')]));
  t.true(sources.size > 20);
  t.deepEqual(violations(readTable(page), sources), []);
});

test('every row of the table is a room or a file', (t) => {
  const places = new Set(globSync('*', { cwd: 'runner' }));
  t.deepEqual(
    [...readTable(page).keys()].filter((row) => !places.has(row)),
    [],
  );
});

const table = readTable(`
| room | meaning | may import | packages |
| --- | --- | --- | --- |
| \`model\` | words | | |
| \`store\` | memory | \`model\` | \`kysely\` |
| \`scheduler\` | next | | |
| \`engine\` | loop | \`model\` \`store/store\` | |
| \`logging.ts\` | logs | \`model\` | \`@scope/winston\` |
`);

const good = {
  'model/plan.ts': 'export interface Plan { readonly id: string }',
  'store/store.ts': "import type { Plan } from '../model/plan.ts'; export interface Store { plan(): Plan }",
  'store/sql.ts': "import { Kysely } from 'kysely/helpers'; import type { Store } from './store.ts';",
  'engine/engine.ts': "import { readFile } from 'node:fs/promises'; import type { Store } from '../store/store.ts';",
  'engine/engine.test.ts': "import test from 'ava'; import { open } from '../store/sql.ts'; console.log(process.env);",
  'logging.ts': "import winston from '@scope/winston/lib';",
  'main.ts': "import { sql } from './store/sql.ts'; import { log } from './logging.ts';",
};

test('a tree that keeps to its table has no violations', (t) => {
  t.deepEqual(violations(table, new Map(Object.entries(good))), []);
});

const broken: readonly (readonly [
  title: string,
  files: Readonly<Record<string, string>>,
  expected: readonly string[],
])[] = [
  [
    'an import of a room that the row does not name',
    { 'model/clock.ts': "import { sql } from '../store/sql.ts';" },
    ['model/clock.ts imports store/sql.ts'],
  ],
  [
    'an import of a type',
    { 'model/clock.ts': "import type { Store } from '../engine/engine.ts';" },
    ['model/clock.ts imports engine/engine.ts'],
  ],
  [
    'a type that is imported in place',
    { 'model/clock.ts': "export type S = import('../engine/engine.ts').S;" },
    ['model/clock.ts imports engine/engine.ts'],
  ],
  [
    'a file beside the one that the row names',
    { 'engine/loop.ts': "import { sql } from '../store/sql.ts';" },
    ['engine/loop.ts imports store/sql.ts'],
  ],
  [
    'an import at run time',
    { 'engine/loop.ts': "export const load = () => import('../store/sql.ts');" },
    ['engine/loop.ts imports store/sql.ts'],
  ],
  [
    'a room that imports a file directly in runner/',
    { 'engine/loop.ts': "import { createLogger } from '../logging.ts';" },
    ['engine/loop.ts imports logging.ts'],
  ],
  [
    'a package of another room',
    { 'engine/loop.ts': "import type { Kysely } from 'kysely';" },
    ['engine/loop.ts imports the package kysely'],
  ],
  [
    'a package with a scope in a file that does not own it',
    { 'main.ts': "import winston from '@scope/winston';" },
    ['main.ts imports the package @scope/winston'],
  ],
  [
    'a circle, of types too',
    {
      'engine/a.ts': "import { b } from './b.ts';",
      'engine/b.ts': "import type { C } from './c.ts';",
      'engine/c.ts': "import type { A } from './a.ts';",
    },
    ['imports in a circle: engine/a.ts → engine/b.ts → engine/c.ts → engine/a.ts'],
  ],
  ['a barrel', { 'store/all.ts': "export * from './store.ts';" }, ['store/all.ts passes on what another file exports']],
  [
    'a default export',
    { 'store/a.ts': 'export default class {}', 'store/b.ts': 'const b = 1; export default b;' },
    ['store/a.ts has a default export', 'store/b.ts has a default export'],
  ],
  [
    'a look at the environment',
    { 'store/a.ts': 'export const home = process.env["HOME"];' },
    ['store/a.ts reads the environment'],
  ],
  ['a line on the console', { 'store/a.ts': 'console.error("x");' }, ['store/a.ts writes to the console']],
  ['a room without a row', { 'tools/a.ts': '' }, ['the room tools has no row in the table']],
];

for (const [title, files, expected] of broken) {
  test(`found: ${title}`, (t) => {
    t.deepEqual(violations(table, new Map(Object.entries({ ...good, ...files }))), expected);
  });
}
