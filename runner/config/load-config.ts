import { resolve } from 'node:path';
import { SluiceError } from '../model/errors.ts';
import type { Config } from './config.ts';
import type { Environment } from './environment.ts';

/** What the command line says; it wins over the environment. */
export interface Overrides {
  readonly home?: string;
  readonly jobs?: string;
  readonly color?: boolean;
  readonly secrets?: Readonly<Record<string, string>>;
}

const secretPrefix = 'SLUICE_SECRET_';

/** Command line, then environment, then defaults. ERR_USAGE for a number of jobs that is none. */
export function loadConfig(environment: Environment, overrides: Overrides = {}): Config {
  const { variables } = environment;
  return Object.freeze({
    home: resolve(given(overrides.home) ?? given(variables['SLUICE_HOME']) ?? environment.dataFolder),
    jobs: jobs(overrides.jobs, '--jobs') ?? jobs(variables['SLUICE_JOBS'], 'SLUICE_JOBS') ?? environment.processors,
    color: overrides.color === false ? 'never' : color(variables),
    liveView: variables['TERM'] !== 'dumb' && !given(variables['CI']),
    secrets: Object.freeze({ ...secretsOf(variables), ...overrides.secrets }),
    actor: environment.user,
  });
}

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function jobs(text: string | undefined, origin: string): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new SluiceError('ERR_USAGE', `${origin} is ${JSON.stringify(text)}, which is no number from 1 to 9999`, {
    hint: 'Give the number of steps that may run at once.',
  });
}

/** https://no-color.org and https://force-color.org; the wish for no colour wins. */
function color(variables: Environment['variables']): Config['color'] {
  if (given(variables['NO_COLOR']) !== undefined) return 'never';
  const forced = given(variables['FORCE_COLOR']);
  if (forced !== undefined) return forced === '0' || forced === 'false' ? 'never' : 'always';
  return variables['TERM'] === 'dumb' ? 'never' : 'auto';
}

function secretsOf(variables: Environment['variables']): Record<string, string> {
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (name.startsWith(secretPrefix) && value) secrets[name.slice(secretPrefix.length)] = value;
  }
  return secrets;
}
