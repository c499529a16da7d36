import type { DatabaseUrls } from '../environments/database-roles.ts';
import type { BackendService } from '../model/backend.ts';
import type { Site } from '../environments/site.ts';

/** What an operation works with. */
export interface OperationContext {
  readonly site: Site;
  readonly run: string;
  /** Of the step, from 1. */
  readonly attempt: number;
  /** The files of the commit, with those of the steps that this one needs. */
  readonly workspace: string;
  readonly commit: string;
  readonly branch: string;
  readonly actor: string;
  /** The value of one of its inputs. */
  readonly input: (name: string) => string;
  /** Makes the image of a service of the workspace: on top of the image that it names, or by its Containerfile. Answers a reference by digest. */
  readonly build: (service: BackendService) => Promise<string>;
  /** The database of the environment that the operation is about; undefined for a backend without one. */
  readonly database: DatabaseUrls | undefined;
  /** The database whose copies a preview begins with; undefined where `database` has copies of its own. */
  readonly origin?: string;
  /** Where client programs of PostgreSQL are looked for, as PATH has it. */
  readonly programs: string;
  /** Folder that outlives the step, for backups of the production database. */
  readonly backups: string;
  /** A line of the step's log. */
  readonly say: (line: string) => void;
  readonly clock: () => number;
  /** Aborted when the step is to end. */
  readonly signal: AbortSignal;
}

/**
 * Does its work, or finds it done, and answers the values that later steps get. SluiceError ERR_GATE when the gate does not let the commit
 * pass; anything else that it throws is a fault of the place it works in.
 */
export type Operation = (context: OperationContext) => Promise<Readonly<Record<string, string>>>;
