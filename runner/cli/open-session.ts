import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { FileSettings } from '../config/read-config-file.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Overrides } from '../config/load-config.ts';
import { SluiceError } from '../model/errors.ts';
import type { Checked } from '../model/problem.ts';
import type { GlobalOptions } from './program.ts';
import type { Dependencies, Io, Services, Session } from './session.ts';
import { colors, noColors } from './terminal/palette.ts';

interface OpenSession {
  readonly session: Session;
  close(): Promise<void>;
}

/** What the configuration file says that an option or else SLUICE_CONFIG names; nothing without one. */
export async function readSettings(
  { config }: GlobalOptions,
  { cwd }: Io,
  { environment: { variables } }: Dependencies,
): Promise<Checked<FileSettings>> {
  const file = config ?? variables['SLUICE_CONFIG'] ?? '';
  if (file === '') return { ok: true, value: { variables: {}, places: new Map() } };
  return (await import('../config/read-config-file.ts')).readConfigFile(resolve(cwd, file));
}

/** What one command works with. `close` closes the services if the command opened them. */
export function openSession(
  options: GlobalOptions,
  settings: FileSettings,
  io: Io,
  dependencies: Dependencies,
): OpenSession {
  const given: Overrides = { color: options.color, ...(options.home === undefined ? {} : { home: options.home }) };
  const { environment, places } = withFile(dependencies.environment, settings);
  const load = (overrides: Overrides) => withPlaces(places, () => loadConfig(environment, overrides));
  const config = load(given);
  const json = options.json ?? false;
  const color = useColors(config, io);
  let opened: Promise<Services> | undefined;
  const configured = (overrides: Overrides) => load({ ...given, ...overrides });
  const open = (overrides: Overrides = {}): Promise<Services> => (opened ??= dependencies.open(configured(overrides)));
  const note = (text: string): void => {
    if (!json) io.stderr.write(`${text}\n`);
  };
  const session: Session = {
    io,
    version: dependencies.version,
    config,
    json,
    color,
    palette: color ? colors : noColors,
    folder: resolve(io.cwd, options.directory ?? '.'),
    gates: () => dependencies.gates(),
    tryStep: () => dependencies.tryStep(config),
    serve: (services, overrides) => dependencies.serve(services, configured(overrides)),
    settings: async () => {
      const { effectiveSettings } = await import('../config/effective-settings.ts');
      return effectiveSettings(config, { overrides: given, variables: environment.variables, places });
    },
    archive: () => dependencies.archive(config),
    environments: () => dependencies.environments(config),
    database: (backend) => dependencies.database(config, backend),
    checkout: (folder) => dependencies.checkout(config, folder),
    backends: () => dependencies.backends(config),
    operate: (name) => dependencies.operate(name, (line) => io.stdout.write(`${line}\n`)),
    open,
    services: async (overrides) => {
      const services = await open(overrides);
      for (const runId of await services.engine.recover()) {
        note(
          `Run ${runId} ended as errored: the process that drove it is gone. Go on with: sluice rerun ${runId} --failed`,
        );
      }
      return services;
    },
    print: (text) => io.stdout.write(text === '' ? '' : `${text}\n`),
    printJson: (value) => io.stdout.write(`${JSON.stringify(value)}\n`),
    note,
  };
  return { session, close: async () => (await opened?.catch(() => undefined))?.close() };
}

/** A mistake is where its value was written: beside the variable stands the place of a file that says the same. */
function withPlaces(places: FileSettings['places'], load: () => Config): Config {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'ERR_USAGE') throw error;
    const message = error.message.replaceAll(/[A-Z][A-Z_]+/g, (name) => {
      const place = places.get(name);
      return place === undefined ? name : `${name} (${place.file}:${place.line}:${place.column})`;
    });
    throw new SluiceError(error.code, message, { cause: error, ...(error.hint !== undefined && { hint: error.hint }) });
  }
}

function useColors({ color }: Config, io: Io): boolean {
  return color === 'always' || (color === 'auto' && io.stdout.isTTY === true);
}

/** The environment over what the file says; of the places those that still count. An empty variable says nothing. */
function withFile(
  environment: Environment,
  file: FileSettings,
): { environment: Environment } & Pick<FileSettings, 'places'> {
  const set = Object.entries(environment.variables).filter(([, value]) => value);
  const names = new Set(set.map(([name]) => name));
  return {
    environment: {
      ...environment,
      variables: { ...environment.variables, ...file.variables, ...Object.fromEntries(set) },
    },
    places: new Map([...file.places].filter(([variable]) => !names.has(variable))),
  };
}
