import { readFile } from 'node:fs/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { compilePipeline } from '../../language/compile-pipeline.ts';
import { parsePipelineFile } from '../../language/parse-file.ts';
import type { Plan, RunStep } from '../../model/plan.ts';
import { makeDraft } from './make-draft.ts';
import { commandsOf } from './node-tests.ts';
import type { Repository } from './repository.ts';
import { writeDraft } from './write-draft.ts';

function repository(files: Readonly<Record<string, string>>, name = 'tasks'): Repository {
  return { name, files: new Set(Object.keys(files)), texts: new Map(Object.entries(files)) };
}

/** The written file, which must compile for exactly these files. */
function init(t: ExecutionContext, files: Readonly<Record<string, string>>, name?: string) {
  const text = writeDraft(makeDraft(repository(files, name)));
  const parsed = parsePipelineFile(text, 'sluice.yaml');
  t.deepEqual(parsed.ok ? [] : parsed.problems, [], text);
  const trigger = {
    event: 'push',
    ref: 'refs/heads/main',
    branch: 'main',
    tag: '',
    commit: '0'.repeat(40),
    actor: 'a',
  } as const;
  const workflows = { gates: new Map<string, string>(), files: new Map<string, string>() };
  const commit = Object.keys(files).map((path) => ({ path, oid: path }));
  const plan = compilePipeline({ file: parsed, trigger, files: commit, workflows });
  t.deepEqual(plan.ok ? [] : plan.problems, [], text);
  return { text, plan: plan.ok ? plan.value : undefined };
}

function stepOf(plan: Plan | undefined, id: string): RunStep | undefined {
  return plan?.steps.find((step): step is RunStep => step.kind === 'run' && step.id === id);
}

function node(scripts: Readonly<Record<string, string>>, more: Readonly<Record<string, unknown>> = {}) {
  return { 'package.json': JSON.stringify({ scripts, ...more }) };
}

const reports: readonly (readonly [script: string, dependencies: readonly string[], command: string])[] = [
  [
    'node --test',
    [],
    'node --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit --test-reporter-destination=reports/junit.xml',
  ],
  [
    'c8 node --import tsx --test "test/*.ts"',
    [],
    'c8 node --import tsx --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit --test-reporter-destination=reports/junit.xml "test/*.ts"',
  ],
  ['vitest', [], 'vitest run --reporter=default --reporter=junit --outputFile.junit=reports/junit.xml'],
  [
    'vitest run --coverage',
    [],
    'vitest run --coverage --reporter=default --reporter=junit --outputFile.junit=reports/junit.xml',
  ],
  [
    'NODE_ENV=test nyc mocha test',
    [],
    'NODE_ENV=test nyc mocha test --reporter xunit --reporter-option output=reports/junit.xml',
  ],
  ['jest --ci', ['jest-junit'], 'jest --ci --reporters=default --reporters=jest-junit'],
  ['tap', [], 'tap --reporter=junit --reporter-file=reports/junit.xml'],
];

for (const [script, dependencies, command] of reports) {
  test(`the tests of \`${script}\` write a JUnit report`, (t) => {
    const devDependencies = Object.fromEntries(dependencies.map((name) => [name, '1']));
    const { plan } = init(t, { ...node({ test: script }, { devDependencies }), 'package-lock.json': '' });
    const step = stepOf(plan, 'test');
    t.is(step?.script, `npm ci\nmkdir -p reports\nexport PATH="$PWD/node_modules/.bin:$PATH"\n${command}\n`);
    t.deepEqual(step?.junit.paths, ['reports/junit.xml']);
  });
}

const ownReports: readonly (readonly [script: string, junit: readonly string[], folder: string])[] = [
  [
    'node --test --test-reporter=junit --test-reporter-destination=out/unit.xml --test-reporter=spec --test-reporter-destination=stdout',
    ['out/unit.xml'],
    'mkdir -p out\n',
  ],
  ['node --test --test-reporter spec', [], ''],
  ['vitest run --reporter=junit --outputFile=junit.xml', ['junit.xml'], ''],
];

for (const [script, junit, folder] of ownReports) {
  test(`\`${script}\` says itself which reports it writes, and is not asked for others`, (t) => {
    const { plan } = init(t, { ...node({ test: script }), 'package-lock.json': '' });
    const step = stepOf(plan, 'test');
    t.is(step?.script, `npm ci\n${folder}npm run test\n`);
    t.deepEqual(step?.junit.paths, junit);
  });
}

for (const script of ['ava', 'jest', 'node test.js', './run-tests.sh | tee log', 'node --test; echo done']) {
  test(`\`${script}\` runs as it is, for it writes no report by itself`, (t) => {
    const step = stepOf(init(t, node({ test: script })).plan, 'test');
    t.is(step?.script, 'npm install\nnpm run test\n');
    t.deepEqual(step?.junit.paths, []);
  });
}

test('what a test script calls is followed, what the lint step does is not done twice', (t) => {
  const scripts = {
    lint: 'eslint .',
    build: 'tsc',
    pretest: 'npm run build',
    test: 'npm run lint && npm run test:unit',
    'test:unit': 'mocha',
  };
  const { plan } = init(t, node(scripts));
  t.deepEqual(
    plan?.steps.map(({ id, needs }) => [id, needs.map(({ name }) => name)]),
    [
      ['lint', []],
      ['test', []],
      ['build', ['lint', 'test']],
    ],
  );
  t.true(
    stepOf(plan, 'test')?.script.endsWith('\ntsc\nmocha --reporter xunit --reporter-option output=reports/junit.xml\n'),
  );
});

test('scripts that call each other in a circle are not followed', (t) => {
  t.is(commandsOf('test', new Map([['test', 'npm run test']])), undefined);
});

test('the placeholder of npm is no test', (t) => {
  const { plan, text } = init(t, node({ lint: 'x', test: 'echo "Error: no test specified" && exit 1' }));
  t.deepEqual(
    plan?.steps.map(({ id }) => id),
    ['lint'],
    text,
  );
});

const locks: readonly (readonly [files: Readonly<Record<string, string>>, install: string])[] = [
  [{ 'package-lock.json': '' }, 'npm ci'],
  [{ 'pnpm-lock.yaml': '' }, 'pnpm install --frozen-lockfile'],
  [{ 'yarn.lock': '' }, 'yarn install --frozen-lockfile'],
  [{ 'yarn.lock': '', '.yarnrc.yml': '' }, 'yarn install --immutable'],
  [{ 'bun.lock': '' }, 'bun install --frozen-lockfile'],
  [{ 'package-lock.json': '', '.gitignore': '/package-lock.json\n' }, 'npm install'],
  [{}, 'npm install'],
];

for (const [files, install] of locks) {
  test(`${Object.keys(files).join(' and ') || 'no lock file'}: ${install}`, (t) => {
    const { plan } = init(t, { ...node({ lint: 'eslint .' }), ...files });
    t.is(stepOf(plan, 'lint')?.script.split('\n')[0], install);
  });
}

test('the package manager that package.json names is used without a lock file too', (t) => {
  const { plan } = init(t, node({ lint: 'eslint .' }, { packageManager: 'pnpm@9.1.0' }));
  t.is(stepOf(plan, 'lint')?.script, 'pnpm install\npnpm run lint\n');
});

test('a Python project is installed with what its tests need, and pytest writes a report', (t) => {
  const pyproject = `[build-system]
requires = ["setuptools", "setuptools_scm"]
[project.optional-dependencies]
docs = ["sphinx"]
test = ["pytest"]
[tool.ruff]
line-length = 100
`;
  const { plan } = init(t, { 'pyproject.toml': pyproject, 'tests/test_a.py': '' });
  const step = stepOf(plan, 'test');
  t.is(
    step?.script,
    "python3 -m venv .venv\n. .venv/bin/activate\npip install --upgrade pip\npip install -e '.[test]'\npip install pytest\npython -m pytest --junitxml=reports/pytest.xml\n",
  );
  t.deepEqual(step?.junit.paths, ['reports/pytest.xml']);
  t.deepEqual(step?.env, { SETUPTOOLS_SCM_PRETEND_VERSION: '0.0.0' });
  t.truthy(stepOf(plan, 'lint'));
});

const python: readonly (readonly [title: string, files: Readonly<Record<string, string>>, line: string])[] = [
  [
    'a dependency group',
    { 'pyproject.toml': '[dependency-groups]\ndev = ["tox"]\ndocs = ["x"]\ntests = ["pytest"]\n' },
    'pip install --group tests',
  ],
  [
    'a file of requirements',
    { 'setup.py': '', 'requirements/dev.txt': 'pytest' },
    'pip install -r requirements/dev.txt',
  ],
  ['requirements only', { 'requirements.txt': 'flask\npytest' }, 'pip install -r requirements.txt'],
  ['no pytest', { 'setup.py': '' }, 'python -m unittest discover'],
];

for (const [title, files, line] of python) {
  test(`Python with ${title}: ${line}`, (t) => {
    t.true(stepOf(init(t, files).plan, 'test')?.script.split('\n').includes(line));
  });
}

test('a Go module is vetted and tested, with a report where it names the converter as its tool', (t) => {
  const plain = init(t, { 'go.mod': 'module x\n\ngo 1.22\n', 'go.sum': '' });
  t.deepEqual(
    plain.plan?.steps.map(({ id }) => id),
    ['vet', 'test'],
  );
  t.is(stepOf(plain.plan, 'test')?.image, 'golang:1.22');
  t.deepEqual(stepOf(plain.plan, 'test')?.junit.paths, []);
  t.regex(
    plain.text,
    /# For a JUnit report, add `junit: reports\/go\.xml` and run this instead:\n {2}# {3}go run gotest/,
  );
  const tool = init(t, { 'go.mod': 'module x\n\ngo 1.24\n\ntool gotest.tools/gotestsum\n' });
  t.deepEqual(stepOf(tool.plan, 'test')?.junit.paths, ['reports/go.xml']);
});

const others: readonly (readonly [
  files: Readonly<Record<string, string>>,
  script: string,
  junit: readonly string[],
])[] = [
  [{ 'Cargo.toml': '', 'Cargo.lock': '' }, 'cargo test --locked\n', []],
  [{ 'pom.xml': '', mvnw: '' }, './mvnw --batch-mode verify\n', ['**/target/surefire-reports/TEST-*.xml']],
  [{ 'build.gradle.kts': '' }, 'gradle --no-daemon build\n', ['**/build/test-results/**/TEST-*.xml']],
  [{ Makefile: 'test:\n\t./t\n\ntest-data := x\n' }, 'make test\n', []],
];

for (const [files, script, junit] of others) {
  test(`${Object.keys(files).join(', ')}: ${script.trim()}`, (t) => {
    const step = stepOf(init(t, files).plan, 'test');
    t.is(step?.script, script);
    t.deepEqual(step?.junit.paths, junit);
  });
}

test('two kinds of project in one repository have steps of their own, and images', (t) => {
  const { plan } = init(t, { ...node({ test: 'ava' }), 'go.mod': 'module x\n' });
  t.deepEqual(
    plan?.steps.map(({ id }) => id),
    ['test', 'go-vet', 'go-test'],
  );
  t.is(stepOf(plan, 'go-test')?.image, 'golang:1');
});

test('databases of a compose file or a workflow stand beside the tests', (t) => {
  const files = {
    ...node({ lint: 'eslint .', test: 'ava' }),
    'docker-compose.yml': 'services:\n  db:\n    image: postgres:15-alpine\n',
    '.github/workflows/ci.yml': 'jobs:\n  a:\n    services:\n      r:\n        image: "redis"\n',
  };
  const { plan } = init(t, files);
  t.deepEqual(
    stepOf(plan, 'test')?.services.map(({ name, image }) => [name, image]),
    [
      ['db', 'postgres:15'],
      ['redis', 'redis:7'],
    ],
  );
  t.deepEqual(Object.keys(stepOf(plan, 'test')?.env ?? {}), ['DATABASE_URL', 'REDIS_URL']);
  t.deepEqual(stepOf(plan, 'lint')?.services, []);
});

test('a repository that says nothing of itself gets a step that is red until it is filled in', (t) => {
  const { plan } = init(t, { 'README.md': '' });
  t.true(stepOf(plan, 'test')?.script.endsWith('exit 1\n'));
});

for (const [folder, name] of [
  ['My App_2', 'my-app-2'],
  ['..', 'pipeline'],
  ['x'.repeat(80), 'x'.repeat(63)],
] as const) {
  test(`the folder ${folder} becomes the pipeline ${name}`, (t) => {
    t.is(init(t, node({ test: 'ava' }), folder).plan?.pipeline, name);
  });
}

test('a package.json that cannot be read is as good as none', (t) => {
  t.deepEqual(
    init(t, { 'package.json': '{', Makefile: 'test:\n' }).plan?.steps.map(({ id }) => id),
    ['test'],
  );
});

test('this project is recognised', async (t) => {
  const text = await readFile('package.json', 'utf8');
  const { plan } = init(t, { 'package.json': text, 'package-lock.json': '' });
  t.is(stepOf(plan, 'test')?.script, 'npm ci\nnpm run test\n');
});
