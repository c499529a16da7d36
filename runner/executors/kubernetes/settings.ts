import type { OwnImages } from '../../model/own-images.ts';

/** What differs between clusters and installations. */
export interface KubernetesSettings {
  readonly namespace: string;
  /** Tells the Jobs of this installation from those of others in the same namespace. */
  readonly owner: string;
  /** Image of the agent. */
  readonly agentImage: string;
  /** Where pods reach this runner, without a path. */
  readonly agentUrl: string;
  readonly images: OwnImages;
  /** The user that every container of a step runs as. */
  readonly user: number;
  /** Time between TERM and KILL. */
  readonly graceMs: number;
  /** How long an attempt may wait for what often passes by itself: a registry that does not answer, a volume. */
  readonly patienceMs: number;
  /** How long it may wait for room: a quota, a node. */
  readonly placeMs: number;
  /** How long pods keep what they hold while no runner answers, on top of the step's own timeout. */
  readonly absenceMs: number;
}
