import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterHistory } from './check-cluster.ts';

/** Writes down a history as it was seen: `RECORD_HISTORY=FOLDER` does it for each run of the tests. */
export function recordHistory(folder: string, { logs, ...history }: ClusterHistory): void {
  mkdirSync(folder, { recursive: true });
  const recorded = { ...history, logs: logs.map(({ bytes, ...log }) => ({ ...log, text: bytes.toString() })) };
  writeFileSync(join(folder, `${history.runId}.json`), `${JSON.stringify(recorded)}\n`);
}

/** One of the histories that were recorded on a cluster. */
export function readHistory(name: string): ClusterHistory {
  const file = fileURLToPath(new URL(`histories/${name}.json`, import.meta.url));
  const { logs, ...history } = JSON.parse(readFileSync(file, 'utf8')) as Omit<ClusterHistory, 'logs'> & {
    readonly logs: readonly { readonly step: string; readonly attempt: number; readonly text: string }[];
  };
  return { ...history, logs: logs.map(({ text, ...log }) => ({ ...log, bytes: Buffer.from(text) })) };
}
