import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Overrides } from '../config/load-config.ts';
import type { GlobalOptions } from './program.ts';
import type { Dependencies, Io, Services, Session } from './session.ts';
import { colors, noColors } from './terminal/palette.ts';

interface OpenSession {
  readonly session: Session;
  close(): Promise<void>;
}

/** What one command works with. `close` closes the services if the command opened them. */
export function openSession(options: GlobalOptions, io: Io, dependencies: Dependencies): OpenSession {
  const given: Overrides = { color: options.color, ...(options.home === undefined ? {} : { home: options.home }) };
  const config = loadConfig(dependencies.environment, given);
  const json = options.json ?? false;
  const color = useColors(config, io);
  let opened: Promise<Services> | undefined;
  const configured = (overrides: Overrides) => loadConfig(dependencies.environment, { ...given, ...overrides });
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
    serve: (services, address, overrides) => dependencies.serve(services, address, configured(overrides)),
    archive: () => dependencies.archive(config),
    environments: () => dependencies.environments(config),
    database: (backend) => dependencies.database(config, backend),
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

function useColors({ color }: Config, io: Io): boolean {
  return color === 'always' || (color === 'auto' && io.stdout.isTTY === true);
}
