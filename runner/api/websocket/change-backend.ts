import type { Subject, Verb } from '../access.ts';
import { usualGraceSeconds } from '../backend-body.ts';
import { createBackend, removeBackend } from '../backend-deeds.ts';
import type { DeedDependencies } from '../backend-deeds.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { backendsOf, permit } from '../guard.ts';
import { answerOnce } from '../idempotency.ts';
import type { MessageOf } from './messages.ts';

type Change = MessageOf<'create-backend' | 'delete-backend'>;

/**
 * What the route of that name answers: with the same right, audited before it is done, and done once for the id of the message. An answer that was given is told again
 * also when the backend is gone since.
 */
export function changeBackend(
  api: DeedDependencies & Pick<ApiDependencies, 'store'>,
  message: Change,
  subject: Subject,
): Promise<object> {
  const { id, type } = message;
  const { name: actor } = subject;
  return answerOnce<object>(api.store, { subject: actor, id, wish: message }, async () => {
    const [name, act] =
      type === 'create-backend' ? creation(api, message, subject) : await deletion(api, message, subject);
    await api.store.addAudit({ at: api.clock(), actor, action: type, object: `/v1/backends/${name}`, requestId: id });
    return act();
  });
}

/** 404 for what is not there and for what the asker may not know, 403 for what it may know and not do. */
export async function permitBackend(
  api: Pick<ApiDependencies, 'backends'>,
  subject: Subject,
  verb: Verb,
  name: string,
): Promise<void> {
  permit(subject, verb, (await backendsOf(api).find(name))?.repository);
}

/** The name of the backend, and what is to be done with it. */
type Permitted = readonly [name: string, act: () => Promise<object>];

function creation(api: DeedDependencies, { backend, type }: MessageOf<'create-backend'>, subject: Subject): Permitted {
  permit(subject, type, backend.repository);
  return [backend.name, async () => (await createBackend(api, backend, 'message/backend')).told];
}

async function deletion(
  api: DeedDependencies,
  { name, type, confirm, graceSeconds = usualGraceSeconds }: MessageOf<'delete-backend'>,
  subject: Subject,
): Promise<Permitted> {
  await permitBackend(api, subject, type, name);
  return [name, () => removeBackend(api, name, { confirm, graceSeconds })];
}
