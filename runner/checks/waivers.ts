import { parseDocument } from 'yaml';
import { SluiceError } from '../model/errors.ts';
import type { Finding } from './finding.ts';

/** A finding that somebody answers for until a day. */
export interface Waiver {
  readonly rule: string;
  /** Only in this file; anywhere when it is not said. */
  readonly path?: string;
  /** The last day that it counts, `2027-03-31`. */
  readonly until: string;
  readonly reason: string;
}

const day = /^\d{4}-\d{2}-\d{2}$/;

/** Waivers of a YAML file, a list with `rule`, `until`, `reason` and perhaps `path`. ERR_GATE with the place for anything else. */
export function readWaivers(text: string, file: string): readonly Waiver[] {
  const document = parseDocument(text, { schema: 'failsafe', prettyErrors: true });
  const [fault] = document.errors;
  if (fault !== undefined) throw refused(file, fault.message);
  const list: unknown = document.toJS({ maxAliasCount: 0 });
  if (!Array.isArray(list)) throw refused(file, 'it is no list');
  return list.map((entry: unknown, index) => readWaiver(entry, `${file}, entry ${index + 1}`));
}

function readWaiver(entry: unknown, place: string): Waiver {
  const { rule, path, until, reason, ...others } = { ...(entry as Readonly<Record<string, unknown>>) };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw refused(place, `there is no key \`${unknown}\``);
  if (typeof rule !== 'string' || rule === '') throw refused(place, '`rule` is missing');
  if (typeof until !== 'string' || !day.test(until) || Number.isNaN(Date.parse(until)))
    throw refused(place, '`until` is no day such as 2027-03-31');
  if (typeof reason !== 'string' || reason.trim() === '') throw refused(place, '`reason` is missing');
  if (path !== undefined && typeof path !== 'string') throw refused(place, '`path` is no text');
  return { rule, until, reason, ...(path !== undefined && { path }) };
}

function refused(place: string, why: string): SluiceError {
  return new SluiceError('ERR_GATE', `${place}: ${why}`, {
    hint: 'A waiver is written as `- { rule: B105, path: app/login.py, until: 2027-03-31, reason: … }`.',
  });
}

/** The waiver of a finding, one that still counts before one that does not. */
export function waiverOf(finding: Finding, waivers: readonly Waiver[], today: string): Waiver | undefined {
  const fitting = waivers.filter(({ rule, path }) => rule === finding.rule && (path ?? finding.path) === finding.path);
  return fitting.find(({ until }) => until >= today) ?? fitting[0];
}
