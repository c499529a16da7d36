import { SluiceError } from '../model/errors.ts';
import { isObject } from './manifest.ts';
import type { Platform } from './manifest.ts';
import { RegistryError } from './registry-error.ts';

/** What is different from the base image; what is left out stays. Source: image-spec 1.1, config.md. */
export interface ConfigChanges {
  /** Program and arguments that are always run; as in a Containerfile, it takes away the command of the base. */
  readonly entrypoint?: readonly string[];
  /** Arguments of the entrypoint, or the whole command where there is none. */
  readonly command?: readonly string[];
  /** Absolute path. */
  readonly workingFolder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** TCP ports that the program listens at. */
  readonly ports?: readonly number[];
  /** `USER[:GROUP]`, by name or number. */
  readonly user?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface AddedLayer {
  /** Digest of the tar itself. */
  readonly diffId: string;
  /** What `history` says of it. */
  readonly comment: string;
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The configuration of an image with `added` layers on those of `base`, made at `created`. The same changes give the same
 * text, in whatever order they were given. ERR_USAGE for a change that is none, `unsupported` for a base that has another
 * number of layers than its configuration says.
 */
export function changeConfig(
  base: JsonObject,
  baseLayers: number,
  changes: ConfigChanges,
  added: readonly AddedLayer[],
  created: string,
): JsonObject {
  checkChanges(changes);
  const rootfs = isObject(base['rootfs']) ? base['rootfs'] : {};
  const diffIds = Array.isArray(rootfs['diff_ids']) ? (rootfs['diff_ids'] as readonly unknown[]) : [];
  if (diffIds.length !== baseLayers) {
    throw new RegistryError('unsupported', `The base image has ${baseLayers} layers and describes ${diffIds.length}`);
  }
  const history: readonly unknown[] = Array.isArray(base['history']) ? base['history'] : [];
  return {
    ...base,
    created,
    config: changedRunConfig(isObject(base['config']) ? base['config'] : {}, changes),
    rootfs: { type: 'layers', diff_ids: [...diffIds, ...added.map(({ diffId }) => diffId)] },
    history: [...history, ...added.map(({ comment }) => ({ created, created_by: 'sluice image append', comment }))],
  };
}

/** The platform that a configuration is for. */
export function platformOf(config: JsonObject): Platform {
  const { os, architecture, variant } = config;
  return {
    os: typeof os === 'string' ? os : 'unknown',
    architecture: typeof architecture === 'string' ? architecture : 'unknown',
    ...(typeof variant === 'string' && { variant }),
  };
}

function changedRunConfig(base: JsonObject, changes: ConfigChanges): JsonObject {
  const { entrypoint, command, workingFolder, environment, ports, user, labels } = changes;
  const { Cmd: baseCommand, ...withoutCommand } = base;
  const keptCommand = entrypoint === undefined && baseCommand !== undefined ? { Cmd: baseCommand } : {};
  return {
    ...withoutCommand,
    ...keptCommand,
    ...(entrypoint && { Entrypoint: entrypoint }),
    ...(command && { Cmd: command }),
    ...(workingFolder !== undefined && { WorkingDir: workingFolder }),
    ...(environment && { Env: changedEnvironment(base['Env'], environment) }),
    ...(ports && { ExposedPorts: { ...objectOf(base['ExposedPorts']), ...sorted(ports.map(exposed)) } }),
    ...(user !== undefined && { User: user }),
    ...(labels && { Labels: { ...objectOf(base['Labels']), ...sorted(Object.entries(labels)) } }),
  };
}

/** Names of the base keep their places, new ones follow in the order of their names. */
function changedEnvironment(base: unknown, changes: Readonly<Record<string, string>>): readonly string[] {
  const entries = Array.isArray(base) ? base.filter((entry) => typeof entry === 'string') : [];
  const values = new Map(entries.map((entry) => [nameOf(entry), entry]));
  for (const [name, value] of Object.entries(changes).toSorted(byName)) values.set(name, `${name}=${value}`);
  return [...values.values()];
}

function nameOf(entry: string): string {
  return entry.split('=', 1)[0] ?? entry;
}

function exposed(port: number): readonly [string, unknown] {
  return [`${port}/tcp`, {}];
}

function sorted(entries: readonly (readonly [string, unknown])[]): JsonObject {
  return Object.fromEntries(entries.toSorted(byName));
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function checkChanges({ workingFolder, environment, ports, command, entrypoint }: ConfigChanges): void {
  if (workingFolder !== undefined && !workingFolder.startsWith('/')) {
    throw wrong(`the working folder ${JSON.stringify(workingFolder)} is no absolute path`, 'Give one such as /app.');
  }
  const name = Object.keys(environment ?? {}).find((key) => key === '' || /[=\0]/.test(key));
  if (name !== undefined) throw wrong(`${JSON.stringify(name)} is no name of a variable`, 'Give NAME=value.');
  const port = ports?.find((value) => !Number.isInteger(value) || value < 1 || value > 65_535);
  if (port !== undefined) throw wrong(`${port} is no port`, 'Give a number from 1 to 65535.');
  for (const words of [command, entrypoint]) {
    if (words?.length === 0) throw wrong('a command without words', 'Leave it out to keep that of the base.');
  }
}

function wrong(what: string, hint: string): SluiceError {
  return new SluiceError('ERR_USAGE', `The image cannot have this: ${what}`, { hint });
}
