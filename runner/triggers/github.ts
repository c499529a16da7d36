import type { Forge } from './forge.ts';
import { readEvent } from './github-payload.ts';
import { readDelivery } from './read-delivery.ts';
import { header, judgeHexSignature, refused } from './signature.ts';

const names = { event: ['x-github-event'], id: ['x-github-delivery'] };
const codeActions: ReadonlySet<string> = new Set(['opened', 'reopened', 'synchronize']);

/** Source: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
export const github: Forge = {
  verify(headers, body, secret = '') {
    if (secret === '') return refused('no secret is configured');
    const signature = header(headers, 'x-hub-signature-256');
    if (signature === undefined) {
      const weak = headers['x-hub-signature'] !== undefined;
      return refused(weak ? 'only the SHA-1 signature was sent' : 'there is no signature; the hook has no secret');
    }
    return judgeHexSignature(signature, 'sha256=', secret, body);
  },

  read: (headers, body) =>
    readDelivery(headers, body, names, (event, payload) => readEvent(event, payload, codeActions)),
};
