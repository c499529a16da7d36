import test from 'ava';
import { hasCorpus, readCorpus } from './corpus-fixture.ts';
import type { Payload } from './corpus-fixture.ts';
import type { Trigger } from './forge.ts';
import { forges } from './forges.ts';

const withCorpus = hasCorpus ? test : test.skip;
const now = Date.UTC(2026, 0, 1);

const reasons: Readonly<Record<string, RegExp>> = {
  'ref deleted': /^The ref was deleted/,
  'event is not a code change': /^".+" is not about a change of code/,
  'push event covers it': /^The push that comes with it/,
  'pr action does not change code': /^The pull request was ".+", which does not/,
  'mr action does not change code (update without oldrev = metadata only)':
    /^The pull request was ".+", which does not/,
};

withCorpus('what real forges sent is genuine with its secret only', (t) => {
  const payloads = readCorpus();
  t.true(payloads.length >= 30);
  for (const { file, forge, headers, body, secret } of payloads) {
    const adapter = forges[forge];
    t.deepEqual(adapter.verify(headers, body, secret, now), { genuine: true }, file);
    t.false(adapter.verify(headers, body, `${secret}.`, now).genuine, file);
  }
});

withCorpus('what real forges sent starts the runs, or none, that were worked out by hand', (t) => {
  for (const payload of readCorpus()) {
    const { file, forge, headers, body, expect } = payload;
    const delivery = forges[forge].read(headers, body);
    t.regex(delivery.deliveryId, /^sha256:[0-9a-f]{64}$/, file);
    if (delivery.kind !== 'triggers') {
      t.is(expect.trigger, 'none', `${file}: ${JSON.stringify(delivery)}`);
      t.is(delivery.kind, 'ignored', `${file}: ${JSON.stringify(delivery)}`);
      t.regex(delivery.kind === 'ignored' ? delivery.reason : '', reasons[expect.reason ?? ''] ?? /^$/, file);
      continue;
    }
    const [trigger, ...more] = delivery.triggers;
    t.deepEqual(more, [], file);
    if (trigger) t.deepEqual(summaryOf(trigger), expectedOf(payload), file);
    t.regex(trigger?.repository.id ?? '', forge === 'bitbucket' ? /^\{[0-9a-f-]{36}\}$/ : /^\d+$/, file);
    t.regex(trigger?.sender.id ?? '', forge === 'bitbucket' ? /^\{[0-9a-f-]{36}\}$/ : /^\d+$/, file);
    t.regex(trigger?.repository.cloneUrl ?? '', /^https?:.*\.git$/, file);
  }
});

function summaryOf(trigger: Trigger) {
  const { pullRequest } = trigger;
  return {
    trigger: trigger.event === 'pull_request' ? 'pr' : trigger.tag === '' ? 'push' : 'tag',
    repo: trigger.repository.fullName,
    ref: trigger.event === 'pull_request' || trigger.tag === '' ? trigger.branch : trigger.tag,
    commit: trigger.commit,
    before: trigger.before,
    sender: trigger.actor,
    pullRequest: pullRequest && { number: pullRequest.number, base: pullRequest.base, fork: pullRequest.fork },
  };
}

function expectedOf({ expect }: Payload) {
  const { pr } = expect;
  return {
    trigger: expect.trigger,
    repo: expect.repo,
    ref: expect.ref,
    commit: expect.checkoutSha ?? expect.sha,
    before: /^0*$/.test(expect.before ?? '') ? '' : expect.before,
    sender: expect.sender,
    // Where it is unknown whose the head is, it counts as a fork's.
    pullRequest: pr ? { number: pr.number, base: pr.base, fork: pr.fork !== false } : undefined,
  };
}
