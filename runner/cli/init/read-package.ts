/** What `init` needs of a package.json. */
export interface Package {
  readonly scripts: ReadonlyMap<string, string>;
  /** Names of all packages that it depends on. */
  readonly dependencies: ReadonlySet<string>;
  readonly packageManager: string;
  /** Range of Node versions, '' for any. */
  readonly engines: string;
}

/** Undefined when there is none, or none that can be read. */
export function readPackage(text: string | undefined): Package | undefined {
  if (text === undefined) return undefined;
  const description = parse(text);
  if (!description) return undefined;
  return {
    scripts: new Map(Object.entries(strings(description['scripts']))),
    dependencies: new Set([
      ...Object.keys(strings(description['dependencies'])),
      ...Object.keys(strings(description['devDependencies'])),
    ]),
    packageManager: typeof description['packageManager'] === 'string' ? description['packageManager'] : '',
    engines: strings(description['engines'])['node'] ?? '',
  };
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function strings(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
