/* Made from schemas/*.json by runner/language/generate/generate.ts. */

export type LanguageFile = PipelineFile | WorkflowFile | ConfigFile;
/**
 * A branch or tag was pushed.
 */
export type PushTrigger = {
  readonly branches?: Patterns;
  readonly tags?: Patterns1;
  readonly paths?: Patterns2;
} | null;
/**
 * Names or patterns, `*` for anything but a slash, `**` for anything. A leading `!` takes out what earlier entries let in; the last entry that fits decides.
 *
 * @minItems 1
 * @maxItems 200
 */
export type Patterns = readonly string[];
/**
 * Names or patterns, `*` for anything but a slash, `**` for anything. A leading `!` takes out what earlier entries let in; the last entry that fits decides.
 *
 * @minItems 1
 * @maxItems 200
 */
export type Patterns1 = readonly string[];
/**
 * Names or patterns, `*` for anything but a slash, `**` for anything. A leading `!` takes out what earlier entries let in; the last entry that fits decides.
 *
 * @minItems 1
 * @maxItems 200
 */
export type Patterns2 = readonly string[];
/**
 * A pull or merge request was opened or got new commits. `branches` are its target branches.
 */
export type PullRequestTrigger = {
  readonly branches?: Patterns3;
  readonly paths?: Patterns4;
} | null;
/**
 * Names or patterns, `*` for anything but a slash, `**` for anything. A leading `!` takes out what earlier entries let in; the last entry that fits decides.
 *
 * @minItems 1
 * @maxItems 200
 */
export type Patterns3 = readonly string[];
/**
 * Names or patterns, `*` for anything but a slash, `**` for anything. A leading `!` takes out what earlier entries let in; the last entry that fits decides.
 *
 * @minItems 1
 * @maxItems 200
 */
export type Patterns4 = readonly string[];
/**
 * Branches that have one each; of pull requests, where those have none of their own, the branch of the head counts.
 *
 * @minItems 1
 * @maxItems 200
 */
export type Patterns5 = readonly string[];
/**
 * Names or patterns, `*` for anything but a slash, `**` for anything. A leading `!` takes out what earlier entries let in; the last entry that fits decides.
 *
 * @minItems 1
 * @maxItems 200
 */
export type Patterns6 = readonly string[];
/**
 * Paths or patterns inside the workspace.
 *
 * @minItems 1
 * @maxItems 200
 *
 * Items: A path or pattern inside the workspace, or below the home folder with `~/`: `*` within a folder, `**` across folders.
 */
export type Globs = readonly string[];
/**
 * Paths or patterns inside the workspace.
 *
 * @minItems 1
 * @maxItems 200
 *
 * Items: A path or pattern inside the workspace, or below the home folder with `~/`: `*` within a folder, `**` across folders.
 */
export type Globs1 = readonly string[];
/**
 * Paths or patterns inside the workspace.
 *
 * @minItems 1
 * @maxItems 200
 *
 * Items: A path or pattern inside the workspace, or below the home folder with `~/`: `*` within a folder, `**` across folders.
 */
export type Globs2 = readonly string[];
/**
 * Paths or patterns inside the workspace.
 *
 * @minItems 1
 * @maxItems 200
 *
 * Items: A path or pattern inside the workspace, or below the home folder with `~/`: `*` within a folder, `**` across folders.
 */
export type Globs3 = readonly string[];

/**
 * A pipeline file, `sluice.yaml` at the root of a repository.
 */
export interface PipelineFile {
  /**
   * Name of the pipeline.
   */
  readonly pipeline: string;
  /**
   * What the pipeline is for, in one or two sentences.
   */
  readonly description?: string;
  readonly on?: Triggers;
  /**
   * Image of the steps that name none: a name from runtime-images, or any image reference.
   */
  readonly runtime?: string;
  readonly env?: Env;
  readonly backend?: Backend;
  readonly concurrency?: Concurrency;
  /**
   * Longest time of a whole run, waiting for approvals included.
   */
  readonly timeout?: string;
  /**
   * The steps by name. Each needs the one above it unless `needs` says otherwise.
   */
  readonly steps: {
    readonly [k: string]: Step;
  };
  /**
   * Steps that run when all others have ended, whatever the outcome, also after a cancel. They run at once unless `needs` names other `finally` steps.
   */
  readonly finally?: {
    readonly [k: string]: Step;
  };
}
/**
 * What starts a run. Without it, only the command line and the API do.
 */
export interface Triggers {
  readonly push?: PushTrigger;
  readonly pull_request?: PullRequestTrigger;
  /**
   * Times at which the default branch is run.
   *
   * @minItems 1
   * @maxItems 50
   */
  readonly schedule?: readonly Schedule[];
}
/**
 * One schedule.
 */
export interface Schedule {
  /**
   * Five fields: minute, hour, day of month, month, day of week.
   */
  readonly cron: string;
  /**
   * IANA time zone.
   */
  readonly timezone?: string;
}
/**
 * Environment variables. Values may contain `${{ }}`.
 */
export interface Env {
  readonly [k: string]: string;
}
/**
 * What this repository deploys. It owns one namespace.
 */
export interface Backend {
  /**
   * Lower-case letters, digits and dashes, not digits alone; starts and ends with a letter or digit, 63 characters at most.
   */
  readonly name: string;
  /**
   * Long-running processes of the backend.
   */
  readonly services?: {
    readonly [k: string]: BackendService;
  };
  readonly database?: Database;
  readonly previews?: Previews;
  readonly promote?: Promotion;
}
/**
 * One process of the backend.
 */
export interface BackendService {
  /**
   * Command that starts it. With `containerfile` it may be left out: the image says it then.
   */
  readonly start?: string;
  /**
   * Containerfile (Dockerfile) of the repository that its image is built from, in place of the workspace on top of `image`. Its context is the whole workspace.
   */
  readonly containerfile?: string;
  /**
   * Port it listens on.
   */
  readonly port?: number;
  /**
   * Path that answers 200 when it is healthy.
   */
  readonly health?: string;
  /**
   * Image to run it in; the default is the runtime.
   */
  readonly image?: string;
  readonly env?: Env1;
  /**
   * How many copies run.
   */
  readonly replicas?: number;
}
/**
 * Environment variables. Values stand as they are.
 */
export interface Env1 {
  readonly [k: string]: string;
}
/**
 * The database of the backend.
 */
export interface Database {
  /**
   * Database engine.
   */
  readonly engine: 'postgres';
  /**
   * Major version.
   */
  readonly version?: string;
  /**
   * Command that fills the testing database.
   */
  readonly seed?: string;
}
/**
 * Which branches and pull requests have an environment of their own, in place of `testing`. Nothing is promoted from there.
 */
export interface Previews {
  readonly branches?: Patterns5;
  /**
   * Whether each pull request has one. Those from forks never have.
   */
  readonly pull_requests?: boolean;
  /**
   * How long a preview stays after the begin of its last run. It goes with its branch or pull request in any case.
   */
  readonly ttl?: string;
  /**
   * How many previews the backend may have at once.
   */
  readonly max?: number;
  readonly env?: Env2;
}
/**
 * Variables of all services in previews, and nowhere else; they win over those of a service.
 */
export interface Env2 {
  readonly [k: string]: string;
}
/**
 * What may go to production. The file of the live release decides, so that no branch lets itself in.
 */
export interface Promotion {
  readonly branches: Patterns6;
}
/**
 * At most one holder of a group at a time.
 */
export interface Concurrency {
  /**
   * Name of the group; may contain `${{ }}`.
   */
  readonly group: string;
  /**
   * What to do while the group is held: wait (`queue`), end the holder (`cancel`), or end at once (`reject`).
   */
  readonly policy?: 'queue' | 'cancel' | 'reject';
}
/**
 * One step: `run` a script, `uses` a workflow, wait for an `approval`, or have Sluice do an `operation`.
 */
export interface Step {
  /**
   * What the step is for.
   */
  readonly description?: string;
  /**
   * Shell script, ended by the first command that fails. Expressions are not put into scripts: pass values through `env`.
   */
  readonly run?: string;
  /**
   * Shell of the script: `sh -e`, or `bash -eo pipefail`.
   */
  readonly shell?: 'sh' | 'bash';
  /**
   * A gate (`validate`), a workflow file of the repository (`./ci/load.yaml`) or `git+URL//path@SHA`.
   */
  readonly uses?: string;
  /**
   * Inputs of the used workflow, or of the operation.
   */
  readonly with?: {
    readonly [k: string]: string;
  };
  readonly approval?: Approval;
  /**
   * Something that Sluice does itself in the environments of the backend, with rights that no script gets. The gates are made of these.
   */
  readonly operation?:
    | 'copy-schema'
    | 'migrate-testing'
    | 'build-release'
    | 'deploy-testing'
    | 'record-tests'
    | 'prove-live'
    | 'check-release'
    | 'prepare-production'
    | 'switch-traffic'
    | 'confirm-release'
    | 'restore-production';
  /**
   * Steps that must have succeeded first; `[]` for none.
   *
   * @maxItems 2000
   */
  readonly needs?: readonly (string | Need)[];
  /**
   * A CEL expression; the step is skipped when it is false. `branch == 'main'`.
   */
  readonly if?: string;
  readonly matrix?: Matrix;
  /**
   * Image to run in; may contain `${{ }}`. The default is `runtime`.
   */
  readonly image?: string;
  /**
   * Folder of the workspace to start in.
   */
  readonly workdir?: string;
  readonly env?: Env3;
  /**
   * Secrets to pass as environment variables of the same name. Their values are masked in the log. With `uses` they go to the scripts in `with` and to the steps of the workflow that name them; a workflow has no others.
   *
   * @maxItems 100
   *
   * Items: Name of a variable: letters, digits and `_`; does not start with a digit.
   */
  readonly secrets?: readonly string[];
  /**
   * Helpers that run beside the step, ready before it starts. `${{ services.NAME.url }}`, `.host` and `.port` can be used in `env`.
   */
  readonly services?: {
    readonly [k: string]: Service;
  };
  /**
   * Environment of the backend that the script works with: its app is at `APP_URL`, its database at `DATABASE_URL`. Production is given to no script.
   */
  readonly target?: 'testing';
  /**
   * JUnit reports. The step is green only if the command succeeded, at least one test ran and none is red.
   */
  readonly junit?: string | Globs | Junit;
  /**
   * Files to keep, also when the step fails.
   *
   * @minItems 1
   * @maxItems 200
   */
  readonly artifacts?: readonly (string | Artifact)[];
  /**
   * What later steps get: files as a list of paths, or files and values.
   */
  readonly outputs?: Globs | Outputs;
  /**
   * Folders kept between runs.
   */
  readonly cache?: Cache | readonly Cache[];
  readonly resources?: Resources;
  /**
   * Longest time of one attempt, from the start of the command.
   */
  readonly timeout?: string;
  readonly retry?: Retry;
  readonly concurrency?: Concurrency1;
}
/**
 * Wait until a person approves with `sluice approve`.
 */
export interface Approval {
  /**
   * What is asked; may contain `${{ }}`.
   */
  readonly message: string;
  /**
   * How long to wait.
   */
  readonly timeout?: string;
}
/**
 * A need that may also be satisfied otherwise.
 */
export interface Need {
  /**
   * Lower-case letters, digits and dashes, not digits alone; starts and ends with a letter or digit, 63 characters at most.
   */
  readonly step: string;
  /**
   * Outcomes besides `succeeded` that will do.
   *
   * @minItems 1
   */
  readonly allow: readonly 'skipped'[];
}
/**
 * Runs the step once per combination of the values. `include` adds combinations, `exclude` takes out those that fit.
 */
export interface Matrix {
  /**
   * Combinations to add.
   *
   * @minItems 1
   * @maxItems 256
   */
  readonly include?: readonly Combination[];
  /**
   * Combinations to leave out.
   *
   * @minItems 1
   * @maxItems 256
   */
  readonly exclude?: readonly Combination[];
  /**
   * How many cells run at once.
   */
  readonly 'max-parallel'?: number;
  /**
   * Values of one axis.
   *
   * @minItems 1
   * @maxItems 256
   */
  readonly [k: string]: readonly string[] | readonly Combination[] | number | undefined;
}
/**
 * Values by axis.
 */
export interface Combination {
  readonly [k: string]: string;
}
/**
 * Environment variables. Values may contain `${{ }}`.
 */
export interface Env3 {
  readonly [k: string]: string;
}
/**
 * A helper beside the step.
 */
export interface Service {
  /**
   * Image of the service; the local executor knows `postgres` and `redis`.
   */
  readonly image: string;
  readonly env?: Env4;
  /**
   * Port it listens on; known for the usual images.
   */
  readonly port?: number;
  /**
   * Command that exits 0 once the service can be used; known for the usual images.
   */
  readonly ready?: string;
}
/**
 * Environment variables. Values may contain `${{ }}`.
 */
export interface Env4 {
  readonly [k: string]: string;
}
/**
 * Reports with options.
 */
export interface Junit {
  readonly paths: Globs1;
  /**
   * Whether no test at all is fine.
   */
  readonly 'allow-empty'?: boolean;
  /**
   * How many tests must have run at least.
   */
  readonly 'min-tests'?: string;
}
/**
 * An artefact with options.
 */
export interface Artifact {
  /**
   * A path or pattern inside the workspace, or below the home folder with `~/`: `*` within a folder, `**` across folders.
   */
  readonly path: string;
  /**
   * The step fails when nothing matches.
   */
  readonly required?: boolean;
}
/**
 * Files and values.
 */
export interface Outputs {
  readonly paths?: Globs2;
  /**
   * Names of values that the script writes as NAME=value lines to the file $SLUICE_OUTPUT.
   *
   * @minItems 1
   * @maxItems 100
   *
   * Items: Name of a variable: letters, digits and `_`; does not start with a digit.
   */
  readonly values?: readonly string[];
}
/**
 * One cache.
 */
export interface Cache {
  /**
   * Name of the content; may contain `${{ hashFiles('package-lock.json') }}`. A key never changes its content.
   */
  readonly key: string;
  readonly paths: Globs3;
}
/**
 * What the step may use.
 */
export interface Resources {
  /**
   * A Kubernetes quantity: `500m`, `2`, `512Mi`, `4Gi`.
   */
  readonly cpu?: string;
  /**
   * A Kubernetes quantity: `500m`, `2`, `512Mi`, `4Gi`.
   */
  readonly memory?: string;
  /**
   * Disk for its files: the workspace, what it writes elsewhere, and its output.
   */
  readonly 'ephemeral-storage'?: string;
}
/**
 * Try again by outcome. Faults of Sluice or the cluster have a budget of their own.
 */
export interface Retry {
  /**
   * How many more attempts.
   */
  readonly max: number;
  /**
   * Outcomes to retry.
   *
   * @minItems 1
   */
  readonly on?: readonly ('failed' | 'errored')[];
  /**
   * Pause before the first retry; it doubles each time.
   */
  readonly backoff?: string;
}
/**
 * At most one holder of a group at a time.
 */
export interface Concurrency1 {
  /**
   * Name of the group; may contain `${{ }}`.
   */
  readonly group: string;
  /**
   * What to do while the group is held: wait (`queue`), end the holder (`cancel`), or end at once (`reject`).
   */
  readonly policy?: 'queue' | 'cancel' | 'reject';
}
/**
 * A workflow file: steps with typed inputs and outputs, for `uses`.
 */
export interface WorkflowFile {
  /**
   * Lower-case letters, digits and dashes, not digits alone; starts and ends with a letter or digit, 63 characters at most.
   */
  readonly workflow: string;
  /**
   * What the workflow is for.
   */
  readonly description?: string;
  /**
   * What the executor must offer.
   */
  readonly requires?: readonly ('services' | 'environments' | 'images' | 'containerfiles')[];
  /**
   * Values that the user of the workflow gives in `with`.
   */
  readonly inputs?: {
    readonly [k: string]: Input;
  };
  /**
   * Values that later steps can use as `needs.NAME.outputs.…`.
   */
  readonly outputs?: {
    readonly [k: string]: Output;
  };
  /**
   * Image of the steps that name none; the default is that of the pipeline.
   */
  readonly runtime?: string;
  readonly env?: Env5;
  /**
   * The steps by name. Each needs the one above it unless `needs` says otherwise.
   */
  readonly steps: {
    readonly [k: string]: Step;
  };
}
/**
 * One input.
 */
export interface Input {
  /**
   * What it means.
   */
  readonly description?: string;
  /**
   * Type of the value. A `command` is a script from the pipeline file; only a `run` that is nothing else than `${{ inputs.NAME }}` takes it. Where it is left empty, that step is skipped.
   */
  readonly type?: 'string' | 'number' | 'boolean' | 'duration' | 'command';
  /**
   * Whether it must be given.
   */
  readonly required?: boolean;
  /**
   * Value when it is not given.
   */
  readonly default?: string;
  /**
   * Values that are allowed.
   *
   * @minItems 1
   */
  readonly enum?: readonly string[];
}
/**
 * One output.
 */
export interface Output {
  /**
   * What it means.
   */
  readonly description?: string;
  /**
   * Expression over the steps: `${{ steps.load.outputs.p95 }}`.
   */
  readonly value: string;
  /**
   * Type of the value.
   */
  readonly type?: 'string' | 'number' | 'boolean';
}
/**
 * Environment variables. Values may contain `${{ }}`.
 */
export interface Env5 {
  readonly [k: string]: string;
}
/**
 * The configuration of Sluice. Every key may be left out. `x-variable` names the environment variable that says the same and wins.
 */
export interface ConfigFile {
  /**
   * Data folder: runs, logs and blobs, as far as they are not in a database or a bucket.
   */
  readonly home?: string;
  /**
   * The address that people and forges know the server by; without it the one that it listens at.
   */
  readonly url?: string;
  /**
   * Where the server answers.
   */
  readonly listen?: string;
  /**
   * Where steps run.
   */
  readonly executor?: 'local' | 'kubernetes';
  /**
   * Steps that may run at once; without it 50 on Kubernetes, else the number of processors.
   */
  readonly jobs?: number;
  /**
   * Runs that a server drives at once.
   */
  readonly runs?: number;
  /**
   * Runs of one repository that are under way at once, at all servers of a database together. Without it as many as `runs`.
   */
  readonly runsPerRepository?: number;
  /**
   * Seconds between two looks at the refs and schedules of a repository; 0 for neither.
   */
  readonly pollSeconds?: number;
  /**
   * List of those who are told of the ends of runs.
   */
  readonly subscribersFile?: string;
  /**
   * Secrets that steps may ask for: by name the file that holds the value.
   */
  readonly secretFiles?: {
    /**
     * Path of a file that holds a secret and nothing else; a line end at its end does not count.
     */
    readonly [k: string]: string;
  };
  /**
   * A PostgreSQL database that several runners share; without it SQLite in the data folder.
   */
  readonly database?: {
    /**
     * Where it is.
     */
    readonly url?: string;
    /**
     * File with the password.
     */
    readonly passwordFile?: string;
    /**
     * Seconds after which a runner that is not heard of counts as dead.
     */
    readonly ttlSeconds?: number;
  };
  /**
   * A bucket of an S3-compatible store; without it blobs are in the data folder.
   */
  readonly blobs?: {
    /**
     * Where it is, as docs/store.md says.
     */
    readonly url: string;
    /**
     * Path of a file that holds a secret and nothing else; a line end at its end does not count.
     */
    readonly accessKeyIdFile?: string;
    /**
     * Path of a file that holds a secret and nothing else; a line end at its end does not count.
     */
    readonly secretAccessKeyFile?: string;
    /**
     * Path of a file that holds a secret and nothing else; a line end at its end does not count.
     */
    readonly sessionTokenFile?: string;
  };
  /**
   * An OpenID Connect provider whose tokens the API takes; without it only tokens of our own.
   */
  readonly oidc?: {
    /**
     * Its name, `iss` of its tokens.
     */
    readonly issuer: string;
    /**
     * What `aud` of a token must be.
     */
    readonly audience: string;
    /**
     * Where its keys are.
     */
    readonly jwksUrl: string;
    /**
     * Claim with a role.
     */
    readonly roleClaim?: string;
    /**
     * Claim with a list of repositories; `*` in it stands for all.
     */
    readonly repositoriesClaim?: string;
  };
  /**
   * How the cluster is reached, and pods reach the runner.
   */
  readonly kubernetes?: {
    /**
     * Kubeconfig file; without it `~/.kube/config`, then the service account of the pod.
     */
    readonly kubeconfig?: string;
    /**
     * Context of the kubeconfig file; without it the current one.
     */
    readonly context?: string;
    /**
     * Where Jobs go; without it the namespace of the context.
     */
    readonly namespace?: string;
    /**
     * The address at which pods reach the runner; without it that of this machine.
     */
    readonly agentUrl?: string;
    /**
     * The port that is listened on for agents; 0 for any free one.
     */
    readonly agentPort?: number;
    /**
     * Image of the agent; without it our own.
     */
    readonly agentImage?: string;
    /**
     * What stands before the names of our own images.
     */
    readonly imagePrefix?: string;
    /**
     * What stands behind the names of our own images.
     */
    readonly imageTag?: string;
    /**
     * References of single images of our own, by name.
     */
    readonly images?: {
      /**
       * A text without spaces and commas.
       */
      readonly [k: string]: string;
    };
    /**
     * Attempts of a run that may wait prepared; 0 for none.
     */
    readonly lookAhead?: number;
    /**
     * Cores that their steps may request in all.
     */
    readonly lookAheadCpu?: string;
    /**
     * Memory that their steps may request in all.
     */
    readonly lookAheadMemory?: string;
  };
  /**
   * Where backends are deployed; without it pipelines can be run and backends not be deployed.
   */
  readonly backends?: {
    /**
     * Domain below which each backend has its hosts.
     */
    readonly domain: string;
    /**
     * The Gateway that routes attach to.
     */
    readonly gateway: string;
    /**
     * Where pods reach the gateway.
     */
    readonly gatewayUrl: string;
    /**
     * Host, and perhaps a path, that images of releases are pushed to.
     */
    readonly registry: string;
    /**
     * Pod Security level of the namespaces in which Containerfiles of backends are built: it takes user namespaces, which `restricted` forbids. Without it none are built.
     */
    readonly builds?: 'baseline';
  };
  /**
   * Registries that images come from and go to.
   */
  readonly registries?: {
    /**
     * File with credentials, as docker and podman write it.
     */
    readonly authFile?: string;
    /**
     * Hosts, with port, that speak plain HTTP.
     *
     * Items: A text without spaces and commas.
     */
    readonly plainHttp?: readonly string[];
  };
}
