import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LocalEnvironments } from './cli/session.ts';
import type { Config } from './config/config.ts';
import type { Environment } from './config/environment.ts';
import { LocalBackends } from './environments/local/local-backends.ts';
import { localEnvironments } from './environments/local/step-access.ts';
import { runSupervisor } from './environments/local/supervisor.ts';
import { SupervisorClient } from './environments/local/supervisor-client.ts';
import type { SupervisorStart } from './environments/local/supervisor-client.ts';
import { baseEnvironment } from './executors/local/base-environment.ts';
import type { BackendEnvironments } from './executors/local/backend-environments.ts';

type Where = Pick<Config, 'home'>;

/** What a person does with the environments of this machine. */
export function openEnvironments(config: Where, environment: Environment): LocalEnvironments {
  const folder = folderOf(config);
  const client = new SupervisorClient(folder);
  return {
    list: async () => {
      if ((await client.find()) === undefined) return undefined;
      const views = await client.list();
      return views.map((view) => ({
        ...view,
        releases: view.releases.map(({ release, health }) => ({ release, ...health })),
      }));
    },
    start: () => client.start(supervisorOf(config, environment)),
    stop: async () => {
      const isThere = (await client.find()) !== undefined;
      if (isThere) await client.stop();
      return isThere;
    },
    supervise: (signal) =>
      runSupervisor({ folder, cache: join(config.home, 'tools'), env: baseEnvironment(environment.variables), signal }),
  };
}

/** The same for the steps of runs. */
export function environmentsOfSteps(config: Where, environment: Environment): BackendEnvironments {
  return localEnvironments({
    folder: folderOf(config),
    supervisor: supervisorOf(config, environment),
    sluice: ownCommand(),
  });
}

/** The same as a place of backends. */
export function localBackends(config: Where, environment: Environment): LocalBackends {
  return new LocalBackends({ folder: folderOf(config), supervisor: supervisorOf(config, environment) });
}

function folderOf({ home }: Where): string {
  return join(home, 'environments');
}

function supervisorOf({ home }: Where, { variables }: Environment): SupervisorStart {
  const own = variables['HOME'] === undefined ? {} : { HOME: variables['HOME'] };
  return {
    argv: [...ownCommand(), 'environments', 'supervise', '--home', home],
    env: { ...baseEnvironment(variables), ...own },
  };
}

/** In a package this file is compiled, and lies elsewhere than the launcher. */
function ownCommand(): readonly string[] {
  const source = new URL('launch/sluice.js', import.meta.url);
  const launcher = existsSync(source) ? source : new URL('../../runner/launch/sluice.js', import.meta.url);
  return [process.execPath, fileURLToPath(launcher)];
}
