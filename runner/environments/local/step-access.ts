import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackendEnvironments } from '../../executors/local/backend-environments.ts';
import { operations } from '../../model/operations.ts';
import type { OwnedBackend } from '../../model/backend.ts';
import type { RunStep } from '../../model/plan.ts';
import { databaseVariables, siteVariable } from '../operation-variables.ts';
import { SupervisorClient } from './supervisor-client.ts';
import type { SupervisorStart } from './supervisor-client.ts';
import type { BackendAccess, LocalSiteDescription } from './supervisor-calls.ts';

export interface LocalEnvironmentsOptions {
  /** Of the environments of this user. */
  readonly folder: string;
  /** How the supervisor is started. */
  readonly supervisor: SupervisorStart;
  /** The command line of Sluice itself, without arguments. */
  readonly sluice: readonly string[];
}

/** The environments of this machine for the steps that run on it. */
export function localEnvironments({ folder, supervisor, sluice }: LocalEnvironmentsOptions): BackendEnvironments {
  const programs = join(folder, 'bin');
  return {
    programs: async () => {
      await writeProgram(programs, sluice);
      return programs;
    },
    variablesFor: async (owned, step, signal) => {
      if (step.operation === undefined && step.target === undefined) return {};
      const client = new SupervisorClient(folder, signal);
      await client.start(supervisor);
      const access = await client.ensure(owned);
      if (step.operation === undefined) return scriptVariables(access, step);
      return operationVariables({ kind: 'local', backend: owned.backend, folder, access }, owned, step);
    },
  };
}

function operationVariables(
  site: LocalSiteDescription,
  { backend }: OwnedBackend,
  { operation }: RunStep,
): Readonly<Record<string, string>> {
  const { database } = { database: undefined, ...(operation && operations[operation]) };
  const urls = database && backend.database && site.access.databases?.[database];
  const roles = ['admin', 'migrator', 'app'] as const;
  const found = urls === undefined ? [] : roles.map((role) => [databaseVariables[role], urls[role]] as const);
  return { [siteVariable]: JSON.stringify(withoutSecrets(site)), ...Object.fromEntries(found) };
}

/** An operation is given the one database that it works with, and no other. */
function withoutSecrets(site: LocalSiteDescription): LocalSiteDescription {
  return { ...site, access: { ...site.access, databases: undefined } };
}

/** A script works with the testing environment: it may change its schema, and fill its tables. */
function scriptVariables({ urls, databases }: BackendAccess, { target }: RunStep): Readonly<Record<string, string>> {
  if (target === undefined) return {};
  const url = databases?.[target].migrator;
  return { APP_URL: urls[target], ...(url !== undefined && { DATABASE_URL: url }) };
}

/** Written anew each time: Sluice may have moved. */
async function writeProgram(folder: string, sluice: readonly string[]): Promise<void> {
  const program = join(folder, 'sluice');
  const draft = `${program}.${process.pid}`;
  const command = sluice.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(draft, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o700 });
  await rename(draft, program);
}
