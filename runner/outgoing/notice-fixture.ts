import type { NoticeTarget } from '../model/run-request.ts';
import type { Notice } from '../store/outbox.ts';
import type { RunRow } from '../store/store.ts';

export const team: NoticeTarget = { kind: 'events', name: 'team' };
export const signingSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** A notice about the end of a run, unless the fields say otherwise. */
export function notice(run: Partial<RunRow> = {}, fields: Partial<Notice> = {}): Notice {
  const row: RunRow = {
    runId: 'r1',
    repository: 'orders',
    pipeline: 'orders-api',
    branch: 'main',
    commit: 'c'.repeat(40),
    event: 'push',
    phase: 'finished',
    outcome: 'succeeded',
    priority: 0,
    createdAt: 1_000,
    finishedAt: 61_000,
    version: 9,
    group: '',
    ...run,
  };
  const trigger = {
    event: 'push',
    ref: 'refs/heads/main',
    branch: 'main',
    tag: '',
    commit: row.commit,
    actor: 'ada',
  } as const;
  const request = { repository: 'orders', trigger, file: 'sluice.yaml', dirty: false, notify: [team] };
  return {
    target: team,
    runId: 'r1',
    version: 9,
    state: 'finished',
    at: 61_000,
    attempts: 1,
    run: row,
    request,
    ...fields,
  };
}
