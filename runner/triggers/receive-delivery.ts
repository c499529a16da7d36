import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Clock } from '../model/clock.ts';
import { SluiceError } from '../model/errors.ts';
import { isUntrusted } from '../model/run-request.ts';
import type { NoticeTarget, RunRequest } from '../model/run-request.ts';
import { readTraceParent } from '../model/trace-parent.ts';
import type { TraceParent } from '../model/trace-parent.ts';
import type { Delivery as StoredDelivery, Intake, NewDelivery, Repository } from '../store/intake.ts';
import type { RepositorySecrets } from '../store/repository-secrets.ts';
import type { Blobs } from '../store/store.ts';
import { changeOf, headOf } from './change-of.ts';
import type { Forge, Headers, Ignored, Trigger } from './forge.ts';
import { forges } from './forges.ts';
import { toTriggerEvent } from './trigger-event.ts';

export interface ReceptionDependencies {
  readonly intake: Pick<Intake, 'repository' | 'deliver'>;
  readonly blobs: Pick<Blobs, 'put'>;
  readonly clock: Clock;
  readonly secretsOf: (repository: Repository) => RepositorySecrets;
  /** Who is told how runs of a repository go. */
  readonly notifyOf: (repository: Repository) => readonly NoticeTarget[];
  readonly newRunId: (at: number) => string;
  /** Told once that a delivery is stored which says that a branch or a pull request has come to its end. */
  readonly ended?: (repository: Repository, ends: NonNullable<Ignored['ends']>) => void;
}

/** What a delivery led to. `refused` tells its sender nothing; why is for our log. */
export type Reception =
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'malformed'; readonly message: string }
  | { readonly kind: 'received'; readonly deliveries: readonly StoredDelivery[] };

/**
 * Takes what a forge sent to the hook of a repository: nothing is stored of what is not genuine, and what is answered
 * `received` is on disk, runs included. The same delivery again gets the same answer.
 */
export async function receiveDelivery(
  dependencies: ReceptionDependencies,
  repositoryId: string,
  headers: Headers,
  body: Buffer,
): Promise<Reception> {
  const repository = await dependencies.intake.repository(repositoryId);
  const forge = repository && repository.forge !== 'git' ? forges[repository.forge] : undefined;
  // Without a repository the same work is done, so that the time tells nobody which hooks there are.
  const { genuine, why } = check(dependencies, repository, forge, headers, body);
  if (!genuine || !repository || !forge) return { kind: 'refused', why };
  const delivery = forge.read(headers, body);
  if (delivery.kind === 'malformed') return { kind: 'malformed', message: delivery.message };
  const { sha256 } = await dependencies.blobs.put(Readable.from([body], { objectMode: false }));
  const announced: Announced = {
    repository,
    forgeId: delivery.deliveryId,
    event: eventOf(headers),
    receivedAt: dependencies.clock(),
    payload: sha256,
    traceParent: readTraceParent(headers['traceparent']),
  };
  try {
    const triggers = delivery.kind === 'triggers' ? delivery.triggers : [];
    const news =
      triggers.length === 0
        ? [ignored(announced, 0, delivery.kind === 'ignored' ? delivery.reason : '', '')]
        : triggers.map((trigger, index) => newsOf(dependencies, announced, index, trigger));
    const deliveries: StoredDelivery[] = [];
    // Of several changes in one delivery each is whole by itself: when this is cut off, the forge's repetition adds the rest.
    for (const one of news) deliveries.push(await dependencies.intake.deliver(one));
    if (delivery.kind === 'ignored' && delivery.ends !== undefined) dependencies.ended?.(repository, delivery.ends);
    return { kind: 'received', deliveries };
  } catch (error) {
    if (!(error instanceof SluiceError && error.code === 'ERR_FORBIDDEN')) throw error;
    return { kind: 'refused', why: error.message };
  }
}

interface Announced {
  readonly repository: Repository;
  readonly forgeId: string;
  readonly event: string;
  readonly receivedAt: number;
  readonly payload: string;
  readonly traceParent: TraceParent | undefined;
}

function check(
  { secretsOf, clock }: ReceptionDependencies,
  repository: Repository | undefined,
  forge: Forge = forges.github,
  headers: Headers,
  body: Buffer,
): { readonly genuine: boolean; readonly why: string } {
  const secret = repository ? secretsOf(repository).webhook : 'nobody knows this repository';
  const verification = forge.verify(headers, body, secret, clock());
  if (!repository) return { genuine: false, why: 'There is no such repository.' };
  return verification.genuine ? { genuine: true, why: '' } : { genuine: false, why: verification.reason };
}

function newsOf(
  { newRunId, notifyOf }: ReceptionDependencies,
  announced: Announced,
  index: number,
  trigger: Trigger,
): NewDelivery {
  const { repository, receivedAt, traceParent } = announced;
  const boundTo = trigger.repository.id;
  if (trigger.pullRequest?.fork === true && repository.forks === 'ignore')
    return ignored(announced, index, 'Pull requests from forks start nothing here.', boundTo);
  const request: RunRequest = {
    repository: repository.name,
    repositoryId: repository.id,
    trigger: toTriggerEvent(trigger),
    file: repository.file,
    dirty: false,
    ...(isUntrusted(trigger) && repository.forks === 'approve' && { held: true }),
    traceParent,
    notify: notifyOf(repository),
  };
  const event = { type: 'run-requested', at: receivedAt, runId: newRunId(receivedAt), request } as const;
  const head = headOf(trigger);
  return {
    delivery: deliveryOf(announced, index, ''),
    boundTo,
    run: { event, change: changeOf(trigger) },
    ...(head !== undefined && { head }),
  };
}

function ignored(announced: Announced, index: number, reason: string, boundTo: string): NewDelivery {
  return { delivery: deliveryOf(announced, index, reason), boundTo };
}

function deliveryOf(
  { repository, forgeId, event, receivedAt, payload }: Announced,
  index: number,
  reason: string,
): NewDelivery['delivery'] {
  const part = index === 0 ? forgeId : `${forgeId}#${index}`;
  return { id: randomUUID(), repositoryId: repository.id, forgeId: part, event, receivedAt, reason, payload };
}

const eventHeaders = ['x-github-event', 'x-gitlab-event', 'x-gitea-event', 'x-forgejo-event', 'x-event-key'];

function eventOf(headers: Headers): string {
  const [name] = eventHeaders.flatMap((header) => headers[header] ?? []);
  return (name ?? '').slice(0, 100);
}
