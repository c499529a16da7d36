import type { Reason } from '../../../model/outcome.ts';

/** Something that keeps an attempt from running. */
export interface Trouble {
  readonly reason: Reason;
  readonly message: string;
  /**
   * `none`: waiting longer is pointless. `soon`: a fault that often passes by itself (network, a webhook that restarts).
   * `later`: it passes once somebody makes room, and nobody knows when.
   */
  readonly hope: 'none' | 'soon' | 'later';
}
