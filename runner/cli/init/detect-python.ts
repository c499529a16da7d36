import { reportFolder } from './draft.ts';
import type { DraftStep, Finding } from './draft.ts';
import type { Repository } from './repository.ts';

const junit = `${reportFolder}/pytest.xml`;

export function detectPython(repository: Repository): Finding | undefined {
  const { files, texts } = repository;
  const manifests = ['pyproject.toml', 'setup.py', 'setup.cfg'].filter((path) => files.has(path));
  const requirements = [...texts.keys()].filter((path) => path.endsWith('.txt'));
  if (manifests.length === 0 && !requirements.some((path) => !path.includes('/'))) return undefined;
  const usesPytest = isPytest(repository);
  const install = installLines(repository, manifests.length > 0, requirements);
  const cache = {
    key: `pip-\${{ hashFiles('${[...manifests, ...requirements][0] ?? ''}') }}`,
    paths: ['~/.cache/pip'],
  };
  const shared = { cache, ...versionEnv(repository) };
  return {
    what: `Python, tests by ${usesPytest ? 'pytest' : 'unittest'}`,
    kind: 'python',
    image: `python:${pythonVersion(texts.get('.python-version'))}`,
    steps: [...lintStep(repository), testStep(usesPytest, install, shared)],
  };
}

const enter = ['python3 -m venv .venv', '. .venv/bin/activate'];

function testStep(
  usesPytest: boolean,
  install: readonly string[],
  shared: Pick<DraftStep, 'cache' | 'env'>,
): DraftStep {
  const step = { name: 'test', usesServices: true, ...shared };
  if (!usesPytest) return { ...step, run: [...enter, ...install, 'python -m unittest discover'] };
  return { ...step, run: [...enter, ...install, `python -m pytest --junitxml=${junit}`], junit };
}

function lintStep({ files, texts }: Repository): readonly DraftStep[] {
  const isConfigured =
    files.has('ruff.toml') || files.has('.ruff.toml') || texts.get('pyproject.toml')?.includes('[tool.ruff');
  return isConfigured ? [{ name: 'lint', run: [...enter, 'pip install ruff', 'ruff check .'] }] : [];
}

function isPytest({ files, texts }: Repository): boolean {
  const named = [...texts].some(([path, text]) => !path.startsWith('.github/') && /\bpytest\b/.test(text));
  return named || [...files].some((path) => /(^|\/)(conftest|test_[\w-]+|[\w-]+_test)\.py$/.test(path));
}

/** Names of what tests need, the most particular first. */
const testNames = ['test', 'tests', 'testing', 'dev', 'develop'];
const testRequirements =
  /(^|[/-])(dev|develop|test|tests|testing)([-/][\w-]+)?\.txt$|requirements[-_](dev|tests?|ci)\.txt$/;

/** The project with what its tests need: an extra, a dependency group or a file of requirements, whichever it has. */
function installLines({ texts }: Repository, isPackage: boolean, requirements: readonly string[]): readonly string[] {
  const pyproject = texts.get('pyproject.toml') ?? '';
  const extras = keysOf(pyproject, 'project.optional-dependencies');
  const groups = keysOf(pyproject, 'dependency-groups');
  const extra = testNames.find((name) => extras.includes(name));
  const group = testNames.find((name) => groups.includes(name));
  const files = requirements.filter((path) => testRequirements.test(path));
  const plain = requirements.filter((path) => path === 'requirements.txt');
  return [
    'pip install --upgrade pip',
    ...(isPackage ? [`pip install -e ${extra === undefined ? '.' : `'.[${extra}]'`}`] : []),
    ...(group === undefined ? [] : [`pip install --group ${group}`]),
    ...[...(isPackage ? [] : plain), ...files].map((path) => `pip install -r ${path}`),
    'pip install pytest',
  ];
}

/** Names on the left of `=` in a table of a TOML file, as far as lines tell. */
function keysOf(toml: string, table: string): readonly string[] {
  const start = toml.indexOf(`[${table}]\n`);
  if (start === -1) return [];
  const body = toml.slice(start + table.length + 3).split(/^\[(?=[\w"])/m, 1)[0] ?? '';
  return [...body.matchAll(/^"?([\w-]+)"?\s*=/gm)].map(([, name = '']) => name);
}

/** Versions from Git tags cannot be read where there is only the commit's files. */
function versionEnv({ texts }: Repository): Pick<DraftStep, 'env'> {
  const build = [texts.get('pyproject.toml'), texts.get('setup.py'), texts.get('setup.cfg')].join('\n');
  if (/setuptools[-_]scm|hatch-vcs/.test(build)) return { env: { SETUPTOOLS_SCM_PRETEND_VERSION: '0.0.0' } };
  return /pdm-backend|pdm\.backend/.test(build) ? { env: { PDM_BUILD_SCM_VERSION: '0.0.0' } } : {};
}

function pythonVersion(asked: string | undefined): string {
  return /\d+\.\d+/.exec(asked ?? '')?.[0] ?? '3';
}
