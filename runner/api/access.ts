/** Each role may do what the ones before it may. */
export const roles = ['viewer', 'developer', 'maintainer', 'admin'] as const;

export type Role = (typeof roles)[number];

/** Everything that can be done through the API, with the least role that may. */
export const leastRoles = {
  'read-runs': 'viewer',
  'create-run': 'developer',
  'raise-priority': 'maintainer',
  'cancel-run': 'developer',
  'rerun-run': 'developer',
  'approve-step': 'maintainer',
  'approve-run': 'maintainer',
  'read-repositories': 'viewer',
  'manage-repositories': 'admin',
  'read-deliveries': 'viewer',
  'replay-delivery': 'maintainer',
  'read-backends': 'viewer',
  'create-backend': 'maintainer',
  'reconcile-backend': 'maintainer',
  'roll-back': 'maintainer',
  'protect-backend': 'admin',
  'delete-backend': 'admin',
  'delete-preview': 'developer',
  'read-metrics': 'viewer',
  'read-audit': 'admin',
  'manage-tokens': 'admin',
} as const satisfies Readonly<Record<string, Role>>;

export type Verb = keyof typeof leastRoles;

/** Who asks: the holder of a token. */
export interface Subject {
  /** Stands for the asker in events and in the audit trail, such as `token:ci`. */
  readonly name: string;
  readonly role: Role;
  /** Names of repositories; undefined for all that there are and will be. */
  readonly repositories: readonly string[] | undefined;
}

/** What is asked for: something of a repository, the installation as a whole, or whatever of it the asker may see. */
export type AccessObject =
  | { readonly kind: 'repository'; readonly repository: string }
  | { readonly kind: 'installation' }
  | { readonly kind: 'visible' };

/** `hidden`: for this asker it does not exist. */
export type Permission = 'allowed' | 'forbidden' | 'hidden';

/** The one place that decides who may do what. */
export function authorize(subject: Subject, verb: Verb, object: AccessObject): Permission {
  if (object.kind === 'repository' && !mayKnow(subject, object.repository)) return 'hidden';
  // A token for some repositories has no say over the whole, whatever its role.
  if (object.kind === 'installation' && subject.repositories) return 'forbidden';
  return roles.indexOf(subject.role) >= roles.indexOf(leastRoles[verb]) ? 'allowed' : 'forbidden';
}

/** What a route asks of its callers: nothing, or a verb on an object that the request names. */
export type Access =
  | 'public'
  | {
      readonly verb: Verb;
      readonly on: 'run' | 'case' | 'delivery' | 'backend' | 'repository' | 'visible' | 'installation';
    };

function mayKnow({ repositories }: Subject, repository: string): boolean {
  return repositories?.includes(repository) ?? true;
}
