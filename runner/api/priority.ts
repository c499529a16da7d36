import { Type } from 'typebox';
import { priorityBounds } from '../model/run-request.ts';
import { authorize } from './access.ts';
import type { Subject } from './access.ts';
import { ApiError } from './problem.ts';

export const prioritySchema = Type.Integer({
  minimum: priorityBounds.least,
  maximum: priorityBounds.most,
  description:
    'Of the runs of a repository that wait the highest is begun first, 0 where nothing is said. More than 0 is for maintainers.',
});

/** 403 when the asker may not put runs of the repository before those that were asked for earlier; `part` of the request says so. */
export function permitPriority(
  subject: Subject,
  { repository, priority = 0 }: { readonly repository: string; readonly priority?: number },
  part: 'body' | 'message',
): void {
  if (priority <= 0 || authorize(subject, 'raise-priority', { kind: 'repository', repository }) === 'allowed') return;
  throw new ApiError({
    status: 403,
    code: 'forbidden',
    detail: 'This token may not give a run a priority above 0.',
    place: `${part}/priority`,
    next: 'Leave it out, or ask for a token of role maintainer; docs/server.md says what a priority does.',
  });
}
