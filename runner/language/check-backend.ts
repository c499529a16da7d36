import { complain } from './step-cell.ts';
import type { StepCell } from './step-cell.ts';

/** A step that works with environments needs a backend that has them. Within a workflow, whoever uses it is told. */
export function checkBackend(cell: StepCell, field: 'uses' | 'operation' | 'target'): void {
  const isInside = field !== 'uses' && cell.body.calls.length > 0;
  // One with a mistake of form has been told, and is left out of what is compiled.
  const isWritten = cell.compilation.backend !== undefined || cell.body.source.damaged?.has('backend');
  if (isWritten || isInside) return;
  const name = cell.step[field] ?? '';
  const hint = 'Write `backend: { name: …, services: … }`, which says what this repository deploys.';
  complain(
    cell,
    [field],
    'backend-missing',
    `\`${field}: ${name}\` needs a backend, and the file describes none.`,
    hint,
  );
}
