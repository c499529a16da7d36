import test from 'ava';
import { ClusterError } from './cluster-error.ts';
import { backoff, mayRepeat, waitBefore } from './repeat.ts';

const get = { method: 'GET', path: '/', title: 'get' } as const;
const post = { method: 'POST', path: '/', title: 'create' } as const;

test('waits grow to a bound and never coincide by design', (t) => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 60].map((failures) => backoff(failures, { chance: 1 }));
  t.deepEqual(waits, [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  t.is(backoff(3, { chance: 0 }), 400);
});

test('a wait is never shorter than what the server asks for', (t) => {
  const failure = new ClusterError('x', {
    status: 429,
    reason: 'TooManyRequests',
    outcome: 'refused',
    retryAfterMs: 7_000,
  });
  t.true(waitBefore(1, failure) >= 7_100);
});

test('nothing that may have happened is done again', (t) => {
  for (const status of [0, 200, 400, 401, 403, 404, 409, 410, 422, 500, 502, 503, 504]) {
    for (const reason of ['Unreachable', 'DeadlineExceeded', 'Unreadable', 'InternalError', 'Conflict'])
      t.false(mayRepeat(post, new ClusterError('x', { status, reason, outcome: 'unknown' })), `${status} ${reason}`);
  }
});

test('a read is not repeated when the answer would be the same', (t) => {
  for (const status of [400, 401, 403, 404, 409, 410, 422])
    t.false(mayRepeat(get, new ClusterError('x', { status, reason: 'Whatever', outcome: 'refused' })));
});
