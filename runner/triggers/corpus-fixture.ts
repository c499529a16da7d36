import { existsSync, readFileSync } from 'node:fs';
import type { ForgeName, Headers } from './forge.ts';

const corpus = new URL('../../../shared/corpus/webhooks/', import.meta.url);

interface Expected {
  readonly file: string;
  readonly provider: ForgeName | 'forgejo';
  readonly eventHeader: Readonly<Record<string, string>>;
  readonly signatureHeaders: Readonly<Record<string, string>>;
  readonly secret: string;
  readonly expect: {
    readonly trigger: 'push' | 'tag' | 'pr' | 'none';
    readonly reason: string | null;
    readonly repo: string | null;
    readonly ref: string | null;
    readonly refKind: 'branch' | 'tag' | 'pr' | null;
    readonly sha: string | null;
    readonly before: string | null;
    readonly sender: string | null;
    readonly checkoutSha?: string | null;
    readonly pr: null | {
      readonly number: number;
      readonly base: string;
      readonly fork: boolean | string;
    };
  };
}

export interface Payload extends Expected {
  readonly forge: ForgeName;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** What real forges sent: other people's files, which stand beside the project where they may be used. */
export const hasCorpus = existsSync(corpus);

export function readCorpus(): readonly Payload[] {
  const expected = JSON.parse(readFileSync(new URL('expected.json', corpus), 'utf8')) as readonly Expected[];
  return expected.map((one) => ({
    ...one,
    forge: one.provider === 'forgejo' ? 'gitea' : one.provider,
    headers: lowerCase({ ...one.eventHeader, ...one.signatureHeaders }),
    body: readFileSync(new URL(one.file, corpus)),
  }));
}

function lowerCase(headers: Readonly<Record<string, string>>): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
