import type { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';
import type { Config } from '../config/config.ts';
import type { EffectiveSetting } from '../config/effective-settings.ts';
import type { Environment } from '../config/environment.ts';
import type { Overrides } from '../config/load-config.ts';
import type { Backends } from '../environments/backends.ts';
import type { Engine } from '../engine/engine.ts';
import type { Json } from '../model/json.ts';
import type { OperationName } from '../model/operations.ts';
import type { Verdict } from '../model/outcome.ts';
import type { Logs } from '../results/log/logs.ts';
import type { Intake } from '../store/intake.ts';
import type { ServerRecords } from '../store/server-records.ts';
import type { Outbox } from '../store/outbox.ts';
import type { SecretBox } from '../store/secret-box.ts';
import type { Blobs, Store } from '../store/store.ts';
import type { Watch } from '../store/watch.ts';
import type { Palette } from './terminal/palette.ts';

/** A stream that text goes to; `process.stdout` is one. The sizes are there when it is a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** What the command line touches of its process. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly cwd: string;
  /** Emits SIGINT, SIGTERM and SIGHUP, as `process` does. */
  readonly signals: EventEmitter;
}

/** What most commands work on; opening it opens the data folder. */
export interface Services {
  readonly engine: Engine;
  readonly store: Store & Intake & ServerRecords;
  readonly logs: Logs;
  readonly blobs: Blobs;
  readonly intake: Intake;
  readonly watch: Watch;
  readonly outbox: Outbox;
  readonly secretBox: SecretBox;
  /** Ends what is still under way at once. Safe to call twice. */
  close(): Promise<void>;
}

/** Copies of the whole data folder. */
export interface Archive {
  /** Into a folder that is new, empty or an earlier backup. */
  backUp(folder: string): Promise<ArchiveSize>;
  /** Into a data folder without a store. */
  restore(folder: string): Promise<ArchiveSize>;
}

export interface ArchiveSize {
  readonly files: number;
  readonly bytes: number;
}

/** How a step went that does nothing. */
export interface Trial {
  readonly verdict: Verdict;
  /** Where it ran; undefined when it never came to a place. */
  readonly place: Readonly<Record<string, Json>> | undefined;
  /** What it waited for last. */
  readonly waitedFor: string | undefined;
  readonly milliseconds: number;
}

/** A server that answers until it is closed; requests under way are answered first. */
export interface Listening {
  readonly url: string;
  /**
   * Waits that long for what is under way. Then runs that another process can go on with are left where they are, and
   * others are cancelled.
   */
  close(graceMs: number): Promise<void>;
}

/** One environment of a backend on this machine. */
export interface EnvironmentRow {
  readonly backend: string;
  readonly environment: string;
  readonly name: string;
  readonly url: string;
  /** The release that its address leads to. */
  readonly routed: string | undefined;
  readonly releases: readonly { readonly release: string; readonly state: string; readonly message?: string }[];
}

/** The environments of backends on this machine. */
export interface LocalEnvironments {
  /** Undefined when nothing runs. */
  list(): Promise<readonly EnvironmentRow[] | undefined>;
  /** Starts what is to run. */
  start(): Promise<void>;
  /** Ends all processes; answers whether there were any. */
  stop(): Promise<boolean>;
  /** Keeps them running until the signal, as the process that is there for that. */
  supervise(signal: AbortSignal): Promise<void>;
}

/** What a folder of this machine has checked out. */
export interface Checkout {
  /** Name people know the repository by. */
  readonly repository: string;
  readonly commit: string;
  /** There are changes that are not in the commit. */
  readonly dirty: boolean;
}

export interface Dependencies {
  readonly version: string;
  readonly environment: Environment;
  open(config: Config): Promise<Services>;
  /** Runs a step that does nothing where steps would run. */
  tryStep(config: Config): Promise<Trial>;
  /** Answers requests, and drives the runs that they ask for. */
  serve(services: Services, config: Config): Promise<Listening>;
  archive(config: Config): Archive;
  environments(config: Config): Promise<LocalEnvironments>;
  /** ERR_SOURCE for a folder that is no repository. */
  checkout(config: Config, folder: string): Promise<Checkout>;
  /** The backends of the place that steps run in. ERR_USAGE where none can be deployed. */
  backends(config: Config): Promise<Backends>;
  /** Carries out an operation of a gate, for the step that this process is the command of. */
  operate(name: OperationName, say: (line: string) => void): Promise<void>;
  /** Texts of the workflows that Sluice ships, by name. */
  gates(): Promise<ReadonlyMap<string, string>>;
}

/** What a command gets: where to write, what is configured, and the services once it asks for them. */
export interface Session {
  readonly io: Io;
  /** Of Sluice. */
  readonly version: string;
  readonly config: Config;
  readonly json: boolean;
  /** Whether colours are wanted, those of the steps' own output included. */
  readonly color: boolean;
  readonly palette: Palette;
  /** `-C`, else the working directory. */
  readonly folder: string;
  /** The services, after runs whose process is gone were ended. The command line closes them. */
  services(overrides?: Overrides): Promise<Services>;
  gates(): Promise<ReadonlyMap<string, string>>;
  tryStep(): Promise<Trial>;
  serve(services: Services, overrides: Overrides): Promise<Listening>;
  /** What counts, and where each setting comes from. */
  settings(): Promise<readonly EffectiveSetting[]>;
  archive(): Archive;
  environments(): Promise<LocalEnvironments>;
  checkout(folder: string): Promise<Checkout>;
  /** Whoever asks for them closes them. */
  backends(): Promise<Backends>;
  operate(name: OperationName): Promise<void>;
  /** The services as they are. */
  open(overrides?: Overrides): Promise<Services>;
  /** Lines of text, for people. */
  readonly print: (text: string) => void;
  /** One document on one line, for programs. */
  readonly printJson: (value: unknown) => void;
  /** A remark that is no result; nothing with `--json`. */
  readonly note: (text: string) => void;
}
