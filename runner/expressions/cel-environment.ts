import { Environment } from '@marcbachmann/cel-js';

/** Every name that an expression can begin with, by its CEL type. Where each may be used is decided by the place. */
const rootTypes = {
  branch: 'string',
  tag: 'string',
  commit: 'string',
  event: 'string',
  ref: 'string',
  actor: 'string',
  pull_request: 'map<string, dyn>',
  matrix: 'map<string, string>',
  inputs: 'map<string, string>',
  needs: 'map<string, map<string, dyn>>',
  services: 'map<string, map<string, string>>',
  steps: 'map<string, map<string, dyn>>',
  run: 'map<string, string>',
} as const;

export type Root = keyof typeof rootTypes;

/**
 * Every function that an expression can call. What is missing from standard CEL could take longer than its text is
 * long (`matches`, `map`, `cel.bind`) or has no use here (bytes, times): an expression always ends at once.
 */
export const functionNames: ReadonlySet<string> = new Set([
  'size',
  'string',
  'int',
  'double',
  'bool',
  'has',
  'contains',
  'startsWith',
  'endsWith',
  'indexOf',
  'lastIndexOf',
  'substring',
  'lowerAscii',
  'upperAscii',
  'trim',
  'split',
  'join',
  'all',
  'exists',
  'exists_one',
  'filter',
  'hashFiles',
]);

/** Digest of the content of all files that fit the patterns; throws with a sentence when there is none. */
export type HashFiles = (globs: readonly string[]) => string;

const mostGlobs = 8;
const limits = { maxAstNodes: 2_000, maxDepth: 64, maxListElements: 500, maxMapEntries: 100, maxCallArguments: 16 };

export function createCelEnvironment(hashFiles: HashFiles): Environment {
  const environment = new Environment({ homogeneousAggregateLiterals: false, limits });
  for (const [name, type] of Object.entries(rootTypes)) environment.registerVariable(name, type);
  for (let count = 1; count <= mostGlobs; count++) {
    const parameters = Array.from({ length: count }, () => 'string').join(', ');
    environment.registerFunction(`hashFiles(${parameters}): string`, (...globs: string[]) => hashFiles(globs));
  }
  return environment;
}
