import type { Forge } from './forge.ts';
import { readEvent } from './github-payload.ts';
import { readDelivery } from './read-delivery.ts';
import { genuine, header, judgeHexSignature, refused } from './signature.ts';

const names = { event: ['x-forgejo-event', 'x-gitea-event'], id: ['x-forgejo-delivery', 'x-gitea-delivery'] };
const codeActions: ReadonlySet<string> = new Set(['opened', 'reopened', 'synchronized']);
/** Each signs the same bytes with the same secret. */
const signatures = [
  { name: 'x-forgejo-signature', prefix: '' },
  { name: 'x-gitea-signature', prefix: '' },
  { name: 'x-hub-signature-256', prefix: 'sha256=' },
] as const;

/** Gitea and Forgejo. Source: https://docs.gitea.com/usage/webhooks */
export const gitea: Forge = {
  verify(headers, body, secret = '') {
    if (secret === '') return refused('no secret is configured');
    const sent = signatures.filter(({ name }) => headers[name] !== undefined);
    if (sent.length === 0) return refused('there is no signature; the hook has no secret');
    const verdicts = sent.map(({ name, prefix }) =>
      judgeHexSignature(header(headers, name) ?? '', prefix, secret, body),
    );
    return verdicts.find((verdict) => !verdict.genuine) ?? genuine;
  },

  read: (headers, body) =>
    readDelivery(headers, body, names, (event, payload) => readEvent(event, payload, codeActions)),
};
