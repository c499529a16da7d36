import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../model/json.ts';
import type { AttemptContext, AttemptOutcome } from '../executor.ts';
import { MemoryBlobs } from './memory-blobs.ts';

/** Everything that an attempt said while it ran. */
export class Recorder implements AttemptContext {
  readonly blobs: MemoryBlobs;
  readonly signal: AbortSignal;
  readonly #chunks: Uint8Array[] = [];
  readonly notes: string[] = [];
  readonly places: Readonly<Record<string, Json>>[] = [];
  placedAt = 0;
  /** Replaces what happens with a chunk of output. */
  take: (chunk: Uint8Array) => Promise<void> = (chunk) => {
    this.#chunks.push(Uint8Array.from(chunk));
    return Promise.resolve();
  };

  constructor(signal: AbortSignal = new AbortController().signal, blobs = new MemoryBlobs()) {
    this.signal = signal;
    this.blobs = blobs;
  }

  readonly log = { offset: 0, write: (chunk: Uint8Array): Promise<void> => this.take(chunk) };
  readonly maxLogBytes = 1024 ** 3;
  maxUploadBytes = 1024 ** 3;
  readonly reasonsToWait: (string | undefined)[] = [];
  readonly waiting: AttemptContext['waiting'] = (waiting) => {
    this.reasonsToWait.push(waiting?.reason);
    return Promise.resolve();
  };
  readonly reports: AttemptOutcome[] = [];
  readonly reported = (outcome: AttemptOutcome): Promise<void> => {
    this.reports.push(outcome);
    return Promise.resolve();
  };
  readonly concealed: string[] = [];
  readonly conceal = (secrets: readonly string[]): void => void this.concealed.push(...secrets);
  readonly note = (text: string): void => void this.notes.push(text);
  placed = async (place: Readonly<Record<string, Json>>): Promise<void> => {
    this.places.push(place);
    await sleep(50);
    this.placedAt = Date.now();
  };
  render: AttemptContext['render'] = (template, services) => {
    if (typeof template === 'string') return template;
    return template.parts.map((part) => (typeof part === 'string' ? part : services[part.cel]?.url)).join('');
  };

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString();
  }
}
