import { posix } from 'node:path';
import type { DraftStep, Finding } from './draft.ts';
import { commandsOf, nodeTests } from './node-tests.ts';
import type { NodeTests } from './node-tests.ts';
import { packageManagerOf } from './package-manager.ts';
import type { PackageManager } from './package-manager.ts';
import { readPackage } from './read-package.ts';
import type { Package } from './read-package.ts';
import type { Repository } from './repository.ts';

const lintScripts = ['lint', 'lint:check', 'lint:ci'];
const typeScripts = ['typecheck', 'type-check', 'check-types', 'types', 'tsc'];

export function detectNode(repository: Repository): Finding | undefined {
  const description = readPackage(repository.texts.get('package.json'));
  if (!description) return undefined;
  const { scripts } = description;
  const manager = packageManagerOf(repository, description);
  const named = (candidates: readonly string[]) => candidates.find((name) => scripts.has(name));
  const [lint, types] = [named(lintScripts), named(typeScripts)];
  const linted = [lint, types].flatMap((name) => (name === undefined ? [] : (commandsOf(name, scripts) ?? [])));
  const tests = nodeTests(description, manager, linted);
  const steps = [
    ...scriptStep('lint', lint, manager),
    ...scriptStep('types', types, manager),
    ...(tests ? [testStep(tests, manager)] : []),
  ];
  const after = steps.map(({ name }) => name);
  const build = scriptStep('build', named(['build']), manager).map((step) => ({ ...step, after }));
  return {
    what: `Node with ${manager.name}${tests?.runner ? `, tests by ${tests.runner}` : ''}`,
    kind: 'node',
    image: `node:${nodeVersion(repository, description)}`,
    steps: [...steps, ...build],
  };
}

function scriptStep(
  name: string,
  script: string | undefined,
  { install, run, cache }: PackageManager,
): readonly DraftStep[] {
  return script === undefined ? [] : [{ name, run: [install, `${run} ${script}`], cache }];
}

function testStep({ commands, junit, env, comment }: NodeTests, { install, cache }: PackageManager): DraftStep {
  const folder = junit?.includes('/') ? [`mkdir -p ${posix.dirname(junit)}`] : [];
  return {
    name: 'test',
    run: [install, ...folder, ...commands],
    usesServices: true,
    cache,
    ...(junit === undefined ? {} : { junit }),
    ...(env && { env }),
    ...(comment === undefined ? {} : { comment }),
  };
}

const oldestNode = 22;

/** Major version that the project asks for, or the oldest that is still looked after. */
function nodeVersion({ texts }: Repository, { engines }: Package): number {
  const asked = texts.get('.nvmrc') ?? texts.get('.node-version') ?? engines;
  return Math.max(oldestNode, Number(/\d+/.exec(asked)?.[0] ?? oldestNode));
}
