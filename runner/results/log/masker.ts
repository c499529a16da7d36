import { PatternSet } from './pattern-set.ts';
import { minSecretBytes, secretForms } from './secret-forms.ts';

/** Why a value cannot be a secret, as a sentence; undefined when it can. */
export function checkSecret(name: string, value: string): string | undefined {
  if (value.includes('\0')) return `secret ${name} holds a NUL byte, which no environment variable can hold`;
  const bytes = Buffer.byteLength(value.trim());
  if (bytes >= minSecretBytes) return undefined;
  return `secret ${name} is ${bytes} bytes long without white space; ${minSecretBytes} is the least that can be masked`;
}

/** Replaces secrets in a stream of bytes. What it gives out holds none of their forms, however the stream is cut. */
export interface Masker {
  /** Places replaced so far. */
  readonly masked: number;
  /** How many bytes that came are not given out yet; undefined in the midst of a place that is replaced already. */
  readonly held: number | undefined;
  /** The bytes that are certain now; the rest, never longer than the longest form, waits for what comes next. */
  push(chunk: Uint8Array): Uint8Array;
  /** What was held back, when nothing more comes. */
  end(): Uint8Array;
}

export function createMasker(secrets: readonly string[]): Masker {
  const patterns = compile(secrets);
  return patterns ? new PatternMasker(patterns) : passThrough;
}

/** The text with all secrets replaced. */
export function maskText(secrets: readonly string[], text: string): string {
  const masker = createMasker(secrets);
  const bytes = Buffer.from(text);
  const clean = [masker.push(bytes), masker.end()];
  return masker.masked === 0 ? text : Buffer.concat(clean).toString('utf8');
}

const nothing = new Uint8Array(0);

const passThrough: Masker = { masked: 0, held: 0, push: (chunk) => chunk, end: () => nothing };

interface Patterns {
  readonly set: PatternSet;
  readonly replacement: Uint8Array;
}

const compiled = new WeakMap<readonly string[], Patterns | undefined>();

/** A list of secrets is compiled once, as long as it lives. */
function compile(secrets: readonly string[]): Patterns | undefined {
  if (!compiled.has(secrets)) compiled.set(secrets, compilePatterns(secrets));
  return compiled.get(secrets);
}

function compilePatterns(secrets: readonly string[]): Patterns | undefined {
  const long = secrets.filter((secret) => Buffer.byteLength(secret) >= minSecretBytes);
  const forms = [...new Set(long.flatMap((secret) => [...secretForms(secret)]))];
  if (forms.length === 0) return undefined;
  return { set: new PatternSet(forms.map((form) => Buffer.from(form))), replacement: replacementFor(forms) };
}

/** Three times a character that no form holds, so that a replacement and its neighbours never make up a secret. */
function replacementFor(forms: readonly string[]): Uint8Array {
  const mark = Array.from('*#~^|!?█').find((candidate) => !forms.some((form) => form.includes(candidate))) ?? '*';
  return Buffer.from(mark.repeat(3));
}

class PatternMasker implements Masker {
  masked = 0;
  private readonly patterns: Patterns;
  private waiting: Uint8Array = nothing;
  /** So many of the held bytes belong to a place that is replaced already. */
  private covered = 0;

  constructor(patterns: Patterns) {
    this.patterns = patterns;
  }

  get held(): number | undefined {
    return this.covered > 0 ? undefined : this.waiting.length;
  }

  push(chunk: Uint8Array): Uint8Array {
    const bytes = this.waiting.length === 0 ? chunk : Buffer.concat([this.waiting, chunk]);
    return this.advance(bytes, false);
  }

  end(): Uint8Array {
    return this.advance(this.waiting, true);
  }

  /** Overlapping places become one replacement: `done` is the end of what was given out or replaced. */
  private advance(bytes: Uint8Array, last: boolean): Uint8Array {
    const parts: Uint8Array[] = [];
    let done = this.covered;
    let from = 0;
    for (;;) {
      const found = this.patterns.set.find(bytes, from, last);
      if (found?.kind !== 'match') return this.giveOut(bytes, parts, done, found?.start ?? bytes.length);
      if (found.start >= done) {
        parts.push(bytes.subarray(done, found.start), this.patterns.replacement);
        this.masked += 1;
      }
      done = Math.max(done, found.end);
      from = found.start + 1;
    }
  }

  /** Everything before `safe` is certain. */
  private giveOut(bytes: Uint8Array, parts: readonly Uint8Array[], done: number, safe: number): Uint8Array {
    const rest = bytes.subarray(Math.min(done, safe), safe);
    this.waiting = safe === bytes.length ? nothing : Buffer.from(bytes.subarray(safe));
    this.covered = Math.max(0, done - safe);
    return parts.length === 0 ? rest : Buffer.concat([...parts, rest]);
  }
}
