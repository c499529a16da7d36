/** The service accounts of a backend's gates, from the least to the most that they may do. */
export type GateAccount = 'run-tests' | 'migrate' | 'deploy-test' | 'promote';

interface OperationEntry {
  /** Whose rights it works with. */
  readonly account: GateAccount;
  /** Values that it takes from `with`, and what stands for those that are not given. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The database whose credentials it gets. */
  readonly database?: 'testing' | 'production';
  /** Values that later steps get. */
  readonly outputs: readonly string[];
  /** It works with the backups of production. */
  readonly backups?: boolean;
  /** Files that later steps get, as globs. */
  readonly files?: readonly string[];
}

/** Folder in the workspace with the copy of production's schema. */
export const schemaFolder = '.sluice-production-schema';

/**
 * What Sluice itself does in the environments of a backend. An operation is a step like any other, but its command is ours: that is why it may have
 * rights which no script gets (trust.md §3). Each can be repeated at any time: it looks at what is on record before it acts.
 */
export const operations = {
  'copy-schema': {
    account: 'migrate',
    inputs: {},
    database: 'production',
    outputs: [],
    files: [`${schemaFolder}/**`],
  },
  'migrate-testing': {
    account: 'migrate',
    inputs: { run: '', lock_timeout: '3s', phase: 'expand', tool: '', dry_run: 'required', long_locks: 'refuse' },
    database: 'testing',
    outputs: ['schema', 'change', 'locks'],
  },
  'build-release': { account: 'deploy-test', inputs: {}, outputs: ['release', 'image'] },
  'deploy-testing': { account: 'deploy-test', inputs: { health_timeout: '2m' }, outputs: ['url'] },
  'record-tests': { account: 'run-tests', inputs: { run: '', postman: '', http: '' }, outputs: [] },
  'prove-live': {
    account: 'deploy-test',
    inputs: { untouched: 'report' },
    database: 'testing',
    outputs: ['untouched'],
  },
  'check-release': { account: 'promote', inputs: { way_back: 'required' }, outputs: ['release'] },
  'prepare-production': {
    account: 'promote',
    inputs: { health_timeout: '2m', lock_timeout: '3s', backup: 'required', keep_backups: '5' },
    database: 'production',
    outputs: ['backup'],
    backups: true,
  },
  'switch-traffic': { account: 'promote', inputs: { strategy: 'blue-green' }, outputs: [] },
  'restore-production': {
    account: 'promote',
    inputs: { backup: '', fit: 'tested' },
    database: 'production',
    outputs: ['replaced'],
    backups: true,
  },
  'confirm-release': { account: 'promote', inputs: { soak: '2m' }, outputs: ['release'] },
} as const satisfies Readonly<Record<string, OperationEntry>>;

export type OperationName = keyof typeof operations;

export function isOperation(name: string): name is OperationName {
  return Object.hasOwn(operations, name);
}

/** The value by which an operation that does not succeed says why. */
export const becauseValue = 'because';

/** The variable that names the file which says who ends a step: `cluster` where its pod is taken away, and another may follow. */
export const endingVariable = 'SLUICE_ENDING';

/** How an operation says that its gate refuses the commit; any other code but 0 is a fault of the place it works in. */
export const refusalCode = 1;

/** The variable that an operation finds one of its inputs in. */
export function inputVariable(input: string): string {
  return `SLUICE_INPUT_${input.toUpperCase()}`;
}
