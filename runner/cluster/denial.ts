/** What stands against creating an object, by the part of Kubernetes that says no. */
export type DeniedBy =
  | 'quota'
  | 'limit_range'
  | 'pod_security'
  /** An admission webhook, or one that has to be asked and does not answer. */
  | 'webhook'
  | 'webhook_down'
  | 'admission_policy'
  | 'namespace_terminating'
  /** The account may not do it (RBAC). */
  | 'access';

export interface Denial {
  readonly by: DeniedBy;
  /** Of the quota, the Pod Security level, the webhook or the policy. */
  readonly name: string | undefined;
}

/**
 * Kubernetes has one reason, Forbidden, for most of these and tells them apart in the text only. The texts are those of
 * plugin/pkg/admission (quota, limitranger, namespace lifecycle), pod-security-admission, apiserver admission (webhook,
 * policy) and rbac; `e2e/cluster-api/denial.test.ts` asks a real server for each. They come the same way in the message of
 * a `FailedCreate` event, so the text is all that is taken.
 */
const patterns: readonly (readonly [DeniedBy, RegExp])[] = [
  ['quota', /(?:exceeded|failed) quota: (?<name>[^,:\s]+)/],
  ['pod_security', /violates PodSecurity "(?<name>[^"]+)"/],
  ['webhook', /admission webhook "(?<name>[^"]+)" denied the request/],
  ['webhook_down', /failed calling webhook "(?<name>[^"]+)"/],
  ['admission_policy', /ValidatingAdmissionPolicy '(?<name>[^']+)'/],
  ['namespace_terminating', /because it is being terminated/],
  ['limit_range', /(?:maximum|minimum) \S+ usage per \S+ is|max limit to request ratio per/],
  ['access', /is forbidden: User "[^"]*" cannot /],
];

/** `undefined` for a text that speaks of none of them. */
export function readDenial(message: string): Denial | undefined {
  for (const [by, pattern] of patterns) {
    const match = pattern.exec(message);
    if (match) return { by, name: match.groups?.['name'] };
  }
  return undefined;
}
