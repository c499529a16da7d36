import { deliveryLimits } from './limits.ts';
import { exceededLimit } from './json-limits.ts';
import { isNoCommit, isRefName } from './ref.ts';

/** Thrown by a Field and caught where deliveries are read; never leaves the room. */
export class MalformedPayload extends Error {}

/** The payload as a Field. Depth and number of values are judged before anything is built of it. */
export function parsePayload(body: Buffer): Field {
  const complaint = exceededLimit(body);
  if (complaint !== undefined) throw new MalformedPayload(complaint);
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    throw new MalformedPayload('The body is not JSON.');
  }
  const payload = new Field(value, 'payload');
  payload.get('');
  return payload;
}

/**
 * A value from outside with its place. Each method answers the value as what it is asked for, or throws
 * MalformedPayload with the place.
 */
export class Field {
  readonly #value: unknown;
  readonly #place: string;

  constructor(value: unknown, place: string) {
    this.#value = value ?? undefined;
    this.#place = place;
  }

  /** Not there, or null. */
  get isAbsent(): boolean {
    return this.#value === undefined;
  }

  /** The field of this name, and so on; what is inside an absent one is absent. */
  get(...names: readonly string[]): Field {
    const [name, ...rest] = names;
    if (name === undefined) return this;
    return new Field(this.#member(name), `${this.#place}.${name}`).get(...rest);
  }

  list(): readonly Field[] {
    if (!Array.isArray(this.#value)) throw this.#malformed('a list');
    return this.#value.map((value: unknown, index) => new Field(value, `${this.#place}[${index}]`));
  }

  /** One line that is not empty. */
  text(): string {
    const value = this.#value;
    if (typeof value !== 'string' || value === '' || /[\u0000-\u001f\u007f]/.test(value))
      throw this.#malformed('a text');
    if (value.length > deliveryLimits.textLength)
      throw this.#malformed(`${deliveryLimits.textLength} characters at most`);
    return value;
  }

  /** For people: the first line, cut to size, '' when absent. */
  title(): string {
    if (this.isAbsent) return '';
    if (typeof this.#value !== 'string') throw this.#malformed('a text');
    const [line = ''] = this.#value
      .slice(0, deliveryLimits.titleLength)
      .trim()
      .split(/[\r\n\u2028\u2029]/, 1);
    return line.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ').trimEnd();
  }

  /** A full object id of Git. */
  commit(): string {
    const value = this.#value;
    if (typeof value !== 'string' || !/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value))
      throw this.#malformed('a commit id');
    return value;
  }

  /** An object id, or its first twelve digits or more: Bitbucket Cloud gives no more of a pull request's head. */
  shortCommit(): string {
    const value = this.#value;
    if (typeof value !== 'string' || !/^[0-9a-f]{12,64}$/.test(value)) throw this.#malformed('a commit id');
    return value;
  }

  /** What a ref was before; '' when it was not there. */
  previousCommit(): string {
    const commit = this.isAbsent ? '' : this.commit();
    return isNoCommit(commit) ? '' : commit;
  }

  /** A branch, a tag or a full ref, as Git allows them. */
  refName(): string {
    const name = this.text();
    if (!isRefName(name)) throw this.#malformed('the name of a ref');
    return name;
  }

  /** A path inside a repository: any text. */
  path(): string {
    if (typeof this.#value !== 'string') throw this.#malformed('a path');
    return this.#value;
  }

  flag(): boolean {
    if (typeof this.#value !== 'boolean') throw this.#malformed('true or false');
    return this.#value;
  }

  /** A number from 1 on that JavaScript holds exactly. */
  positive(): number {
    const value = this.#value;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1)
      throw this.#malformed('a positive number');
    return value;
  }

  /** A number from 0 on. */
  count(): number {
    const value = this.#value;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw this.#malformed('a number');
    return value;
  }

  /** '' for ids that stand for nobody: absent, 0 and the negative ones of Gitea's ghosts and robots. */
  numericId(): string {
    const value = this.#value;
    if (value === undefined) return '';
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw this.#malformed('a number');
    return value > 0 ? String(value) : '';
  }

  /** A UUID in braces, as Bitbucket Cloud writes them; '' when absent. */
  uuid(): string {
    if (this.isAbsent) return '';
    const value = this.text();
    if (!/^\{[0-9a-f-]{36}\}$/i.test(value)) throw this.#malformed('a UUID in braces');
    return value;
  }

  /** The address of a repository's page or clone; only HTTP, without credentials. '' when absent. */
  url(): string {
    if (this.isAbsent) return '';
    const text = this.text();
    const url = URL.parse(text);
    const fits = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
    if (!fits) throw this.#malformed('an http or https address');
    return text;
  }

  #member(name: string): unknown {
    const value = this.#value;
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#malformed('an object');
    return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
  }

  #malformed(wanted: string): MalformedPayload {
    return new MalformedPayload(`${this.#place} must be ${wanted}.`);
  }
}
