/** Name of the diagnostics channel on which each call of the database is told. */
export const storeCalls = 'sluice:store';

export interface StoreCall {
  readonly kind: 'read' | 'write';
  /** From the wish to the answer, waiting for locks and connections included. */
  readonly ms: number;
  readonly ok: boolean;
}
