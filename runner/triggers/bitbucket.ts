import { readCloudPullRequest, readCloudPush } from './bitbucket-cloud.ts';
import { readServerPullRequest, readServerPush } from './bitbucket-server.ts';
import type { Forge } from './forge.ts';
import { ignored, readDelivery } from './read-delivery.ts';
import { header, judgeHexSignature, refused } from './signature.ts';

const names = { event: ['x-event-key'], id: ['x-request-uuid', 'x-request-id'] };

/**
 * Bitbucket Cloud and Data Center, whose events have different names.
 * Sources: https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/,
 * https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html
 */
export const bitbucket: Forge = {
  verify(headers, body, secret = '') {
    if (secret === '') return refused('no secret is configured');
    const signature = header(headers, 'x-hub-signature');
    if (signature === undefined) return refused('there is no signature; the hook has no secret');
    return judgeHexSignature(signature, 'sha256=', secret, body);
  },

  read: (headers, body) =>
    readDelivery(headers, body, names, (event, payload) => {
      switch (event) {
        case 'repo:push':
          return readCloudPush(payload);
        case 'pullrequest:created':
        case 'pullrequest:updated':
          return readCloudPullRequest(payload);
        case 'repo:refs_changed':
          return readServerPush(payload);
        case 'pr:opened':
        case 'pr:reopened':
        case 'pr:from_ref_updated':
          return readServerPullRequest(payload);
        case 'pullrequest:fulfilled':
        case 'pullrequest:rejected':
          return ignored.closed(event, payload.get('pullrequest', 'id').positive());
        case 'pr:merged':
        case 'pr:declined':
        case 'pr:deleted':
          return ignored.closed(event, payload.get('pullRequest', 'id').positive());
        default:
          return /^(?:pullrequest|pr):/.test(event) ? ignored.action(event) : ignored.event(event);
      }
    }),
};
