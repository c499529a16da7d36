import type { ChangeClass } from '../migrations/classify/change-class.ts';
import { SluiceError } from '../model/errors.ts';

/** What a release may do to a schema: add only, or take away what nobody uses any more. */
export type Phase = 'expand' | 'contract';

/** ERR_GATE for a change that the live release may not survive. */
export function refuseTooMuch(change: ChangeClass, phase: Phase): void {
  if (change !== 'breaking' && (change !== 'contract' || phase === 'contract')) return;
  throw new SluiceError('ERR_GATE', `the live release may not survive the migration: it is of the class ${change}`, {
    hint: 'Add first, and take away what nobody uses any more in a later release (docs/migrations.md).',
  });
}
