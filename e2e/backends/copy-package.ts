import { cpSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A package with all that it needs, from those of this project: nothing is fetched while tests run. */
export function copyPackage(name: string, into: string): void {
  const target = join(into, name);
  const from =
    createRequire(import.meta.url)
      .resolve.paths(name)
      ?.map((folder) => join(folder, name)) ?? [];
  const found = from.find((folder) => folder.includes('node_modules') && isPackage(folder));
  if (found === undefined) throw new Error(`the package ${name} is not here`);
  cpSync(found, target, { recursive: true });
  const { dependencies = {} } = JSON.parse(readFileSync(join(found, 'package.json'), 'utf8')) as {
    readonly dependencies?: Readonly<Record<string, string>>;
  };
  for (const needed of Object.keys(dependencies)) copyPackage(needed, into);
}

function isPackage(folder: string): boolean {
  try {
    readFileSync(join(folder, 'package.json'));
    return true;
  } catch {
    return false;
  }
}
