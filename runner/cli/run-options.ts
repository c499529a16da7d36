import { resolve } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import { executorNames } from '../config/config.ts';
import type { Overrides } from '../config/load-config.ts';
import { readSecretsFile } from '../config/read-secrets-file.ts';
import type { PrepareOptions } from '../engine/engine.ts';
import type { Session } from './session.ts';

export interface PrepareFlags {
  readonly file: string;
  readonly commit?: string;
  readonly event: PrepareOptions['event'];
}

const events: readonly PrepareOptions['event'][] = ['push', 'pull_request', 'schedule', 'manual'];

/** What commands take that compile the pipeline of a repository. */
export function addPrepareOptions(command: Command): void {
  command
    .argument('[dir]', 'folder of the repository', '.')
    .option('--commit <commit>', 'take this commit, branch or tag instead of the working tree')
    .option('--file <path>', 'pipeline file inside the repository', 'sluice.yaml')
    .addOption(new Option('--event <event>', 'what conditions see as `event`').choices(events).default('manual'));
}

export function prepareOptions(folder = '.', { file, commit, event }: PrepareFlags, session: Session): PrepareOptions {
  return {
    location: resolve(session.folder, folder),
    file,
    event,
    actor: session.config.actor,
    ...(commit === undefined ? {} : { commit }),
  };
}

export interface EngineFlags {
  readonly jobs?: string;
  readonly secretsFile?: string;
  readonly executor?: string;
}

/** What commands take that run steps. */
export function addEngineOptions(command: Command): void {
  command
    .option('-j, --jobs <number>', 'steps that may run at once (default: $SLUICE_JOBS or the number of processors)')
    .addOption(
      new Option('--executor <name>', 'where steps run (default: $SLUICE_EXECUTOR or local)').choices([
        ...executorNames,
      ]),
    )
    .option('--secrets-file <path>', 'NAME=value lines; $SLUICE_SECRET_NAME sets one secret');
}

export async function engineOverrides(
  { jobs, executor, secretsFile }: EngineFlags,
  session: Session,
): Promise<Overrides> {
  return {
    ...(jobs === undefined ? {} : { jobs }),
    ...(executor === undefined ? {} : { executor }),
    ...(secretsFile === undefined ? {} : { secrets: await readSecretsFile(resolve(session.folder, secretsFile)) }),
  };
}

export function addViewOptions(command: Command): void {
  command
    .option('--logs', 'print the output of all steps as it comes, also on a terminal')
    .option('-q, --quiet', 'print no output of steps, only how they ended');
}
