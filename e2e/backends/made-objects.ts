import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestBackend } from './test-backend.ts';

const { E2E_CLUSTER_HOME } = process.env;

/** An object that Sluice made, by the word of the API server. */
export interface MadeObject {
  /** As kubectl has it: `jobs.batch`. */
  readonly kind: string;
  readonly name: string;
  /** `runner`, or the account of a gate. */
  readonly by: string;
}

interface Entry {
  readonly stage: string;
  readonly userAgent?: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource: string;
    readonly apiGroup?: string;
    readonly name?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code: number };
}

/** The namespace of a backend and all that Sluice made in it, what is gone again too. Undefined on a cluster whose audit log is not at hand. */
export function objectsMade({ name: namespace, openedAt }: TestBackend): readonly MadeObject[] | undefined {
  if (E2E_CLUSTER_HOME === undefined) return undefined;
  const folder = join(E2E_CLUSTER_HOME, 'logs');
  // The API server begins a new file now and then.
  const files = readdirSync(folder)
    .filter((file) => /^audit.*\.log$/.test(file))
    .map((file) => join(folder, file))
    .filter((file) => statSync(file).mtimeMs >= openedAt);
  return files
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => line.includes(`"${namespace}"`) && line.includes('"code":201'))
    .flatMap((line) => madeBy(JSON.parse(line) as Entry, namespace));
}

function madeBy(
  { stage, userAgent, user, objectRef, responseStatus }: Entry,
  namespace: string,
): readonly MadeObject[] {
  if (stage !== 'ResponseComplete' || userAgent !== 'sluice' || responseStatus?.code !== 201) return [];
  if (objectRef?.name === undefined || objectRef.subresource !== undefined) return [];
  const { resource, apiGroup, name } = objectRef;
  const account = `system:serviceaccount:${namespace}:`;
  const by = user.username.startsWith(account) ? user.username.slice(account.length) : 'runner';
  return [{ kind: apiGroup === undefined ? resource : `${resource}.${apiGroup}`, name, by }];
}

/** Rows of Markdown, one for each kind and who makes it, with names in which what differs from run to run has a word of its own. */
export function tableOf(made: readonly MadeObject[], backend: TestBackend, runs: readonly string[]): string {
  const rows = Map.groupBy(made, ({ kind, by }) => `| \`${kind}\` | ${by === 'runner' ? by : `\`${by}\``} |`);
  const lines = [...rows].map(([row, objects]) => {
    const names = new Set(objects.map(({ name }) => patternOf(name, backend, runs)));
    return `${row} ${[...names].toSorted().join(', ')} |`;
  });
  return ['| kind | made by | names |', '| --- | --- | --- |', ...lines.toSorted()].join('\n');
}

function patternOf(name: string, { name: namespace }: TestBackend, runs: readonly string[]): string {
  const general = runs
    .reduce((text, run) => text.replace(run, 'RUN'), name.replace(namespace, 'BACKEND'))
    .replace(/^r-RUN-[0-9a-f]+-\d+$/, 'r-RUN-STEP-ATTEMPT')
    .replace(/-r\d+-(RUN-)?\d+(-\d)?$/, '-rN-$1ATTEMPT$2')
    .replace(/-r\d+$/, '-rN');
  return `\`${general}\``;
}
