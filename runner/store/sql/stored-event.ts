import { SluiceError, messageOf } from '../../model/errors.ts';
import type { RunEvent, StoredEvent } from '../../model/run-event.ts';
import { fits } from './shape.ts';
import type { Shape } from './shape.ts';

/** What every kind of event holds. */
const shapes: {
  readonly [Type in RunEvent['type']]: Shape<Omit<Extract<RunEvent, { type: Type }>, 'type'>>;
} = {
  'run-requested': { at: 'number', runId: 'string', request: 'object' },
  'run-reviewed': { at: 'number', commit: 'string', approved: 'boolean', by: 'string', comment: 'string' },
  'run-refused': { at: 'number', problems: 'object' },
  'run-created': {
    at: 'number',
    runId: 'string',
    request: 'object',
    pipeline: 'string',
    group: 'string',
    plan: 'string',
    snapshot: 'string',
    executor: 'string',
    carried: 'object',
  },
  'run-waiting': { at: 'number', group: 'string', holder: 'string' },
  'run-started': { at: 'number' },
  'attempt-started': { at: 'number', step: 'string', attempt: 'number' },
  'attempt-placed': { at: 'number', step: 'string', attempt: 'number', place: 'object' },
  'attempt-waiting': { at: 'number', step: 'string', attempt: 'number', reason: 'string', message: 'string' },
  'attempt-reported': { at: 'number', step: 'string', attempt: 'number', word: 'object' },
  'attempt-finished': { at: 'number', step: 'string', attempt: 'number', result: 'object', next: 'object' },
  'step-settled': { at: 'number', step: 'string', verdict: 'object', outputs: 'object' },
  'approval-requested': { at: 'number', step: 'string', message: 'string', expiresAt: 'number' },
  'approval-given': { at: 'number', step: 'string', approved: 'boolean', by: 'string', comment: 'string' },
  'cancel-requested': { at: 'number', by: 'string', reason: 'string' },
  'run-finished': { at: 'number', verdict: 'object' },
};

/** An event from its row. ERR_CORRUPT, naming run and version, when the text is no event. */
export function readEvent(runId: string, version: number, body: string): StoredEvent {
  const value = parse(runId, version, body);
  if (!isEvent(value)) throw corrupt(runId, version, 'it is no event that Sluice knows');
  return { ...value, version };
}

/** The error for an event that is stored but cannot be used. */
export function corrupt(runId: string, version: number, reason: string): SluiceError {
  return new SluiceError('ERR_CORRUPT', `Event ${version} of run ${runId} is damaged: ${reason}.`, {
    hint: 'Restore the database from a backup; docs/store.md says how.',
  });
}

function parse(runId: string, version: number, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw corrupt(runId, version, messageOf(error));
  }
}

function isEvent(value: unknown): value is RunEvent {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  const shape = new Map<unknown, Shape<object>>(Object.entries(shapes)).get(value.type);
  return shape !== undefined && fits(value, shape);
}
