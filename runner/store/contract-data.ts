import type { ArtifactEntry, AttemptKey, TestCase } from '../model/result.ts';
import type { RunEvent } from '../model/run-event.ts';
import type { Repository } from './intake.ts';
import type { Lease, NewRun, Owner } from './store.ts';

// A repository, runs, events and results for the tests of stores.

export const shop: Repository = {
  id: 'shop-id',
  name: 'shop',
  forge: 'gitea',
  forgeId: '',
  cloneUrl: 'https://git.example/shop.git',
  file: 'sluice.yaml',
  forks: 'ignore',
  secrets: '',
  createdAt: 1,
};

export function newRun(runId: string, fields: Partial<NewRun['row']> = {}): NewRun {
  const row = {
    runId,
    repository: 'shop',
    pipeline: 'shop-api',
    branch: 'main',
    commit: 'c'.repeat(40),
    event: 'manual',
    priority: 0,
    createdAt: 1,
    group: '',
    ...fields,
  };
  const trigger = { event: 'manual', ref: 'refs/heads/main', branch: 'main', tag: '', actor: 'ada' } as const;
  return {
    row,
    event: {
      type: 'run-created',
      at: row.createdAt,
      runId,
      request: {
        repository: row.repository,
        trigger: { ...trigger, commit: row.commit },
        file: 'sluice.yaml',
        dirty: false,
      },
      pipeline: row.pipeline,
      group: row.group,
      plan: 'p'.repeat(64),
      snapshot: 's'.repeat(64),
      executor: 'local',
      carried: {},
    },
  };
}

export function owner(id: string): Owner {
  return { id, host: 'host', pid: 1, startedAt: '' };
}

/** The lease with which a run begins. */
export function firstLease(runId: string): Lease {
  return { runId, fence: 1 };
}

export function started(step: string): RunEvent {
  return { type: 'attempt-started', at: 3, step, attempt: 1 };
}

export function settled(step: string): RunEvent {
  return { type: 'step-settled', at: 4, step, verdict: { outcome: 'succeeded' }, outputs: { version: '1.2.3' } };
}

export function finished(verdict: Extract<RunEvent, { type: 'run-finished' }>['verdict']): RunEvent {
  return { type: 'run-finished', at: 9, verdict };
}

export function cancelled(at: number): Extract<RunEvent, { type: 'cancel-requested' }> {
  return { type: 'cancel-requested', at, by: 'ada', reason: 'cancelled' };
}

export function attempt(runId: string): AttemptKey {
  return { runId, step: 'unit', attempt: 1 };
}

export function testCase(name: string, outputLength = 0): TestCase {
  return {
    suites: ['all', 'orders'],
    className: 'OrderTest',
    name,
    file: 'order.test.ts',
    outcome: 'failed',
    flaky: false,
    durationMs: 1.5,
    message: 'expected 1, got 2',
    details: 'at order.test.ts:7',
    systemOut: 'x'.repeat(outputLength),
    systemErr: '',
    attachments: ['screens/a.png'],
  };
}

export function artifact(path: string): ArtifactEntry {
  return { kind: 'artifact', path, sha256: 'd'.repeat(64), bytes: 12, mode: 0o644 };
}

export async function* batches<Item>(...lists: readonly (readonly Item[])[]): AsyncGenerator<readonly Item[]> {
  for (const list of lists) yield await Promise.resolve(list);
}
