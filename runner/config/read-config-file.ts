import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseConfigFile } from '../language/parse-file.ts';
import type { Path, Positioned } from '../language/positioned.ts';
import { problem } from '../language/problem.ts';
import { messageOf, SluiceError } from '../model/errors.ts';
import type { Json } from '../model/json.ts';
import type { Checked, Location, Problem } from '../model/problem.ts';
import { settings } from './settings.ts';
import type { Setting } from './settings.ts';

/** What a configuration file says, as the environment would say it. */
export interface FileSettings {
  readonly variables: Readonly<Record<string, string>>;
  /** Where the value of each variable stands. */
  readonly places: ReadonlyMap<string, Location>;
}

interface Entry {
  readonly variable: string;
  readonly path: Path;
  readonly form: string;
  readonly text: string;
}

/** All mistakes of the file at once, and the settings of a file without one. ERR_USAGE when the file cannot be read. */
export async function readConfigFile(path: string): Promise<Checked<FileSettings>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SluiceError('ERR_USAGE', `The configuration file ${path} cannot be read: ${messageOf(cause)}`, {
      hint: 'Name a file that you may read with --config or SLUICE_CONFIG.',
      cause,
    });
  });
  const parsed = parseConfigFile(text, path);
  // Every key may be left out, and so may all.
  if (!parsed.ok && parsed.problems.every(({ code }) => code === 'empty-file'))
    return { ok: true, value: { variables: {}, places: new Map() } };
  if (!parsed.ok) return { ok: false, problems: parsed.problems.map(withoutPassword) };
  const file: Positioned<Json> = { ...parsed.value, value: JSON.parse(JSON.stringify(parsed.value.value)) as Json };
  const entries = settings.flatMap((setting) => entriesOf(setting, file.value));
  const values = await Promise.all(entries.map((entry) => valueOf(entry, file)));
  const problems = values.flatMap((value) => (value.ok ? [] : value.problems));
  if (problems.length > 0) return { ok: false, problems };
  const texts = values.map((value) => (value.ok ? value.value : ''));
  return {
    ok: true,
    value: {
      variables: Object.fromEntries(entries.map(({ variable }, index) => [variable, texts[index] ?? ''])),
      places: new Map(entries.map(({ variable, path: place }) => [variable, file.locate(place)])),
    },
  };
}

/** A map of secrets is one entry for each; other lists and maps are one text, as their variables have them. */
function entriesOf({ path, variable, form }: Setting, root: Json): readonly Entry[] {
  const value = at(root, path);
  if (value === undefined) return [];
  if (Array.isArray(value)) return [{ variable, path, form, text: value.join(' ') }];
  if (typeof value !== 'object' || value === null) return [{ variable, path, form, text: String(value) }];
  const pairs = Object.entries(value).map(([name, inner]) => [name, typeof inner === 'string' ? inner : ''] as const);
  if (form !== 'secretFile') {
    return [{ variable, path, form, text: pairs.map(([name, inner]) => `${name}=${inner}`).join(' ') }];
  }
  return pairs.map(([name, inner]) => ({
    variable: variable.replace('NAME', name),
    path: [...path, name],
    form,
    text: inner,
  }));
}

function at(root: Json, path: Path): Json | undefined {
  let value: Json | undefined = root;
  for (const key of path) value = (value as Readonly<Record<string, Json>> | undefined)?.[key];
  return value;
}

async function valueOf({ form, text, path }: Entry, file: Positioned<Json>): Promise<Checked<string>> {
  if (form !== 'place' && form !== 'secretFile') return { ok: true, value: text };
  const place = resolve(dirname(file.file), text);
  if (form === 'place') return { ok: true, value: place };
  const refused = (message: string, hint: string): Checked<string> => ({
    ok: false,
    problems: [problem(file, file.locate(path), 'file-unreadable', message, hint)],
  });
  try {
    const secret = (await readFile(place, 'utf8')).replace(/\r?\n$/, '');
    if (secret !== '') return { ok: true, value: secret };
    return refused('The file that holds this secret is empty.', 'Write the secret into it, and nothing else.');
  } catch (error) {
    return refused(
      `The file that holds this secret cannot be read: ${messageOf(error)}`,
      'Name a file that the user of this process may read.',
    );
  }
}

/** An address with a password is a mistake, and its password is not for those who read the message. */
function withoutPassword({ message, frame, hint, ...rest }: Problem): Problem {
  const hide = (text: string): string => text.replaceAll(/(:\/\/[^:@/\s]*:)[^@\s]+@|([?&]password=)[^&\s`]+/g, '$1$2…');
  return {
    ...rest,
    message: hide(message),
    ...(frame !== undefined && { frame: hide(frame) }),
    ...(hint !== undefined && { hint: hide(hint) }),
  };
}
