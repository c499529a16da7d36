import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { digestOf } from './digest.ts';
import { connectionError, drop, readBody } from './exchange.ts';
import type { Answer } from './exchange.ts';
import { placeOf } from './image-reference.ts';
import { descriptors, mediaTypes, parseObject } from './manifest.ts';
import type { Descriptor } from './manifest.ts';
import { RegistryError } from './registry-error.ts';
import { RegistrySession } from './registry-session.ts';
import type { Place, RegistryAccess } from './registry-session.ts';
import { retrying } from './retry.ts';
import { writeTemporary } from './temporary-files.ts';
import { uploadBlob } from './upload-blob.ts';
import type { Blob } from './upload-blob.ts';

/** As distribution-spec recommends to registries. */
const manifestBytes = 4 * 1024 * 1024;
const accepted = [mediaTypes.manifest, mediaTypes.index, mediaTypes.dockerManifest, mediaTypes.dockerList].join(', ');

export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/**
 * One repository of a registry, by the OCI distribution specification 1.1. Nothing that is read is believed before its
 * digest was compared. What fails for the moment is tried again; `signal` ends everything.
 */
export class Repository {
  readonly place: Place;
  readonly #session: RegistrySession;

  constructor(
    place: Place,
    access: RegistryAccess,
    signal: AbortSignal,
    rights: { readonly push?: boolean; readonly mountFrom?: string | undefined } = {},
  ) {
    this.place = place;
    this.#session = new RegistrySession(place, access, signal, rights);
  }

  /** By tag or digest. `unknown_image` when there is none. */
  async manifest(reference: string): Promise<StoredManifest> {
    const found = await this.findManifest(reference);
    if (found) return found;
    throw new RegistryError('unknown_image', `${this.#name(reference)} is not in the registry`, {
      hint: 'Check repository and tag of the reference.',
    });
  }

  findManifest(reference: string): Promise<StoredManifest | undefined> {
    return this.#retrying(async () => {
      const answer = await this.#session.call({
        method: 'GET',
        to: `manifests/${reference}`,
        headers: { accept: accepted },
      });
      if (answer.status === 404) return this.#done(answer, undefined);
      if (answer.status !== 200) throw await this.#session.failure(answer);
      const bytes = await readBody(answer, manifestBytes, this.#session.signal);
      const digest = digestOf(bytes);
      if (reference.startsWith('sha256:') && reference !== digest) throw this.#corrupt(reference, digest);
      return { digest, mediaType: answer.headers['content-type']?.split(';')[0]?.trim() ?? '', bytes };
    });
  }

  hasBlob(digest: string): Promise<boolean> {
    return this.#retrying(async () => {
      const answer = await this.#session.call({ method: 'HEAD', to: `blobs/${digest}` });
      if (answer.status === 200 || answer.status === 404) return this.#done(answer, answer.status === 200);
      throw await this.#session.failure(answer);
    });
  }

  /** A small blob. */
  readBlob({ digest, size }: Descriptor): Promise<Buffer> {
    if (size > manifestBytes) throw new RegistryError('unsupported', `${this.#name(digest)} has ${size} bytes`);
    return this.#retrying(async () => {
      const bytes = await readBody(await this.#openBlob(digest), size, this.#session.signal);
      if (digestOf(bytes) !== digest) throw this.#corrupt(digest, digestOf(bytes));
      return bytes;
    });
  }

  /** Writes a blob of any size to a file. */
  saveBlob({ digest, size }: Descriptor, file: string): Promise<void> {
    return this.#retrying(async () => {
      const answer = await this.#openBlob(digest);
      const hash = createHash('sha256');
      await writeTemporary(file, this.#measured(answer, size, hash), this.#session.signal);
      const found = `sha256:${hash.digest('hex')}`;
      if (found !== digest) throw this.#corrupt(digest, found);
    });
  }

  /** The body of an answer as far as `size`, in which errors of the connection are ours. */
  async *#measured(answer: Answer, size: number, hash: Hash): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    try {
      for await (const chunk of answer.body) {
        bytes += chunk.length;
        if (bytes > size)
          throw new RegistryError('corrupt', `${answer.url.host} sends more than the ${size} bytes of a blob`);
        hash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      throw connectionError(error, answer.url, this.#session.signal);
    }
  }

  /** Whether the registry took the blob from another of its repositories. */
  mount(digest: string, from: string): Promise<boolean> {
    return this.#retrying(async () => {
      const query = new URLSearchParams({ mount: digest, from });
      const answer = await this.#session.call({ method: 'POST', to: `blobs/uploads/?${query.toString()}`, body: '' });
      return this.#done(answer, answer.status === 201);
    });
  }

  upload(blob: Blob): Promise<void> {
    return uploadBlob(this.#session, blob, () => this.hasBlob(blob.digest));
  }

  /** Stores a manifest under a tag or its digest, and answers whether the registry said that it listed it as a referrer. */
  putManifest(reference: string, mediaType: string, bytes: Buffer): Promise<{ readonly isListed: boolean }> {
    return this.#retrying(async () => {
      const headers = { 'content-type': mediaType };
      const answer = await this.#session.call({ method: 'PUT', to: `manifests/${reference}`, headers, body: bytes });
      if (answer.status !== 201) throw await this.#session.failure(answer);
      return this.#done(answer, { isListed: answer.headers['oci-subject'] !== undefined });
    });
  }

  /** Whether the registry keeps lists of referrers. */
  keepsReferrers(digest: string): Promise<boolean> {
    return this.#retrying(async () => {
      const answer = await this.#session.call({ method: 'GET', to: `referrers/${digest}` });
      return this.#done(answer, answer.status === 200);
    });
  }

  /** What refers to a manifest; undefined where the registry keeps no such lists. Only the first page of a long list. */
  referrers(digest: string): Promise<readonly Descriptor[] | undefined> {
    return this.#retrying(async () => {
      const answer = await this.#session.call({ method: 'GET', to: `referrers/${digest}` });
      if (answer.status !== 200) return this.#done(answer, undefined);
      const bytes = await readBody(answer, manifestBytes, this.#session.signal);
      const place = this.#name(digest);
      return descriptors(parseObject(bytes, place)['manifests'], place);
    });
  }

  async #openBlob(digest: string): Promise<Answer> {
    const answer = await this.#session.call({ method: 'GET', to: `blobs/${digest}` });
    if (answer.status === 200) return answer;
    throw await this.#session.failure(answer);
  }

  async #done<Value>(answer: Answer, value: Value): Promise<Value> {
    await drop(answer, this.#session.signal);
    return value;
  }

  #retrying<Result>(work: () => Promise<Result>): Promise<Result> {
    return retrying(work, this.#session.signal);
  }

  #corrupt(expected: string, found: string): RegistryError {
    return new RegistryError('corrupt', `${this.#name(expected)} has bytes of the digest ${found}`, {
      hint: 'The registry, or something on the way to it, changed them. Push the image again.',
    });
  }

  #name(reference: string): string {
    return `${placeOf(this.place)}${reference.startsWith('sha256:') ? '@' : ':'}${reference}`;
  }
}
