import type { TestCase } from '../../model/result.ts';
import type { Attributes } from './declared-totals.ts';
import { parseSeconds } from './parse-numbers.ts';

/** Longest text kept of a case's details, output and errors, and of a name; the report itself is stored whole. */
const keptText = 1_048_576;
const keptName = 4_096;

/** Children of a case that say how it ended, the worst last. `retried` is a failed try of a case that was run again. */
const severities = ['retried', 'skipped', 'failed', 'errored'] as const;
type Result = (typeof severities)[number];

const results: ReadonlyMap<string, Result> = new Map([
  ['error', 'errored'],
  ['failure', 'failed'],
  ['skipped', 'skipped'],
  ['disabled', 'skipped'],
  ['ignored', 'skipped'],
  ['flakyFailure', 'retried'],
  ['flakyError', 'retried'],
  ['rerunFailure', 'retried'],
  ['rerunError', 'retried'],
  ['rerun', 'retried'],
]);

export type Sink = 'details' | 'systemOut' | 'systemErr';

/** Where the text of an element of this name goes, if the name decides. */
export function sinkOf(name: string): Sink | undefined {
  if (name === 'system-out') return 'systemOut';
  if (name === 'system-err') return 'systemErr';
  return results.has(name) ? 'details' : undefined;
}

/** A test case while its element is open. */
export class CaseBuilder {
  private readonly attributes: Attributes;
  private readonly texts: Record<Sink, string> = { details: '', systemOut: '', systemErr: '' };
  private worst: Result | undefined;
  private retried = false;
  private message = '';

  constructor(attributes: Attributes) {
    this.attributes = attributes;
  }

  /** A child element; the worst one counts, and only once. */
  child(name: string, attributes: Attributes): void {
    const result = results.get(name);
    if (result === undefined) return;
    this.retried ||= result === 'retried';
    if (this.texts.details !== '') this.write('details', '\n');
    if (this.worst !== undefined && severities.indexOf(result) <= severities.indexOf(this.worst)) return;
    this.worst = result;
    this.message = attributes['message'] ?? attributes['type'] ?? '';
  }

  write(sink: Sink, text: string): void {
    const room = keptText - this.texts[sink].length;
    if (room > 0) this.texts[sink] += text.slice(0, room);
  }

  /** A status that says red although no child does. */
  redStatus(): string | undefined {
    if (this.outcome() !== 'passed' || this.retried) return undefined;
    const { status, result } = this.attributes;
    return [status, result].find(
      (word) => word !== undefined && /^(fail|failed|failure|error|errored|broken)$/i.test(word),
    );
  }

  finish(file: string, suites: readonly string[]): TestCase {
    const { details, systemOut, systemErr } = this.texts;
    const outcome = this.outcome();
    return {
      suites,
      className: clip(this.attributes['classname'] ?? this.attributes['class'] ?? ''),
      name: clip(this.attributes['name'] ?? ''),
      file,
      outcome,
      flaky: outcome === 'passed' && this.retried,
      durationMs: parseSeconds(this.attributes['time'] ?? this.attributes['duration'] ?? ''),
      message: clip(this.message === '' ? firstLine(details) : this.message),
      details: details.trim(),
      systemOut,
      systemErr,
      attachments: [systemOut, systemErr].flatMap(attachmentsOf),
    };
  }

  private outcome(): TestCase['outcome'] {
    if (this.worst !== undefined && this.worst !== 'retried') return this.worst;
    const notRun = /^(disabled|notrun|skipped|ignored|pending)$/i.test(this.attributes['status'] ?? '');
    return notRun && !this.retried ? 'skipped' : 'passed';
  }
}

function attachmentsOf(text: string): readonly string[] {
  if (!text.includes('[[ATTACHMENT|')) return [];
  return Array.from(text.matchAll(/\[\[ATTACHMENT\|([^\]\r\n]{1,4096})\]\]/g), (match) => match[1] ?? '');
}

function firstLine(text: string): string {
  return /\S.*/.exec(text)?.[0].trimEnd() ?? '';
}

export function clip(text: string): string {
  return text.length > keptName ? `${text.slice(0, keptName)}…` : text;
}
