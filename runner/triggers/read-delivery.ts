import { hash } from 'node:crypto';
import type { Delivery, ForgeRepository, Headers, Ignored, PullRequest, Trigger } from './forge.ts';
import { MalformedPayload, parsePayload } from './payload.ts';
import type { Field } from './payload.ts';
import { header } from './signature.ts';

type Reading =
  ({ readonly kind: 'ignored' } & Ignored) | { readonly kind: 'triggers'; readonly triggers: readonly Trigger[] };

export const ignored = {
  refDeleted: reject('The ref was deleted.', {}),
  otherRef: reject('The ref is neither a branch nor a tag.'),
  coveredByPush: reject('The push that comes with it says the same.'),
  nothingPushed: reject('No ref has changed.'),
  noCommits: reject('The pull request has no commits.'),
  event: (name: string) => reject(`"${name}" is not about a change of code.`),
  action: (name: string) => reject(actionText(name)),
  /** The pull request was merged or given up. */
  closed: (name: string, pullRequest: number) => reject(actionText(name), { pullRequest }),
} as const;

export function triggered(...triggers: readonly Trigger[]): Reading {
  return { kind: 'triggers', triggers };
}

/**
 * Reads a delivery of the event that `eventHeader` names. Where the forge gives no id in one of `idHeaders`, the
 * digest of the body takes its place: the same bytes again are the same delivery.
 */
export function readDelivery(
  headers: Headers,
  body: Buffer,
  names: { readonly event: readonly string[]; readonly id: readonly string[] },
  read: (event: string, payload: Field) => Reading,
): Delivery {
  const deliveryId = first(headers, names.id) ?? `sha256:${hash('sha256', body)}`;
  try {
    const event = first(headers, names.event);
    if (event === undefined) throw new MalformedPayload(`The header ${names.event.join(' or ')} is missing.`);
    if (header(headers, 'content-type')?.startsWith('application/x-www-form-urlencoded'))
      throw new MalformedPayload("The body is a form; set the hook's content type to application/json.");
    return { deliveryId, ...read(event, parsePayload(body)) };
  } catch (error) {
    if (!(error instanceof MalformedPayload)) throw error;
    return { deliveryId, kind: 'malformed', message: error.message };
  }
}

/**
 * A pull request that is none of a fork has its head and its base in the repository that the delivery names. `insider` says
 * whether who opened it may write there; a forge that does not say has taken the branch from somebody who may.
 */
export function pullRequest(
  fields: Omit<PullRequest, 'fork' | 'outsider'>,
  repository: ForgeRepository,
  baseRepositoryId: string,
  { sender, insider = true }: { readonly sender: Trigger['sender']; readonly insider?: boolean },
): PullRequest {
  const fork = fields.headRepositoryId !== repository.id || baseRepositoryId !== repository.id;
  const isOutsider = !fork && (sender.id === '' || !insider);
  return { ...fields, fork, ...(isOutsider && { outsider: true }) };
}

/** Headers that a forge sends are short and printable. */
function first(headers: Headers, names: readonly string[]): string | undefined {
  return names
    .map((name) => header(headers, name) ?? '')
    .find((value) => /^[\x21-\x7e][\x20-\x7e]{0,199}$/.test(value));
}

function actionText(name: string): string {
  return `The pull request was "${name}", which does not change its code.`;
}

function reject(reason: string, ends?: Ignored['ends']): Reading {
  return { kind: 'ignored', reason, ...(ends && { ends }) };
}
