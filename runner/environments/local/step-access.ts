import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackendEnvironments } from '../../executors/local/backend-environments.ts';
import { operations } from '../../model/operations.ts';
import { trialOf } from '../../model/backend.ts';
import type { OwnedBackend } from '../../model/backend.ts';
import type { RunStep } from '../../model/plan.ts';
import type { DatabaseUrls } from '../database-roles.ts';
import { environmentFor } from '../environment-for.ts';
import { databaseVariables, originVariable, siteVariable } from '../operation-variables.ts';
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
    accessFor: async (owned, step, signal) => {
      if (step.operation === undefined && step.target === undefined) return { variables: {}, secrets: [] };
      const client = new SupervisorClient(folder, signal);
      await client.start(supervisor);
      const access = await client.ensure(owned);
      const secrets = passwordsOf(access);
      if (step.operation === undefined) return { variables: scriptVariables(access, owned, step), secrets };
      const site = { kind: 'local', backend: owned.backend, folder, access } as const;
      return { variables: operationVariables(site, owned, step), secrets };
    },
  };
}

function passwordsOf({ databases }: BackendAccess): readonly string[] {
  const urls = Object.values(databases ?? {}).flatMap((roles) => [roles.admin, roles.migrator, roles.app]);
  return [...new Set(urls.map((url) => decodeURIComponent(new URL(url).password)))];
}

function operationVariables(
  site: LocalSiteDescription,
  { backend }: OwnedBackend,
  { operation }: Pick<RunStep, 'operation'>,
): Readonly<Record<string, string>> {
  const environment = operation && environmentFor(backend, operations[operation]);
  const { databases } = site.access;
  const urls = environment && backend.database && databases?.[environment];
  const roles = ['admin', 'migrator', 'app'] as const;
  const found = urls === undefined ? [] : roles.map((role) => [databaseVariables[role], urls[role]] as const);
  const origin = backend.preview && databases && { [originVariable]: databaseOf(databases.testing) };
  return { [siteVariable]: JSON.stringify(withoutSecrets(site)), ...Object.fromEntries(found), ...origin };
}

/** An operation is given the one database that it works with, and no other. */
function withoutSecrets(site: LocalSiteDescription): LocalSiteDescription {
  return { ...site, access: { ...site.access, databases: undefined } };
}

function databaseOf({ admin }: DatabaseUrls): string {
  return decodeURIComponent(new URL(admin).pathname.slice(1));
}

/** A script works with the environment that is tested: it may change its schema, and fill its tables. */
function scriptVariables(
  { urls, databases }: BackendAccess,
  { backend }: OwnedBackend,
  { target }: Pick<RunStep, 'target'>,
): Readonly<Record<string, string>> {
  if (target === undefined) return {};
  const environment = trialOf(backend);
  const url = databases?.[environment]?.migrator;
  return { APP_URL: urls[environment] ?? '', ...(url !== undefined && { DATABASE_URL: url }) };
}

/** Written anew each time: Sluice may have moved. Steps that begin at the same moment each have a draft of their own. */
async function writeProgram(folder: string, sluice: readonly string[]): Promise<void> {
  const program = join(folder, 'sluice');
  const draft = `${program}.${randomUUID()}`;
  const command = sluice.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(draft, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o700 });
  await rename(draft, program);
}
