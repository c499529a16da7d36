import test from 'ava';
import { verdictOf } from '../../model/outcome.ts';
import type { KubeletWord } from './next-move.ts';
import { lastingWord } from './pod-facts.ts';

const deleted: KubeletWord = { verdict: verdictOf('pod_deleted'), ended: false, gone: false };
const green: KubeletWord = { verdict: { outcome: 'succeeded' }, exitCode: 0, ended: true, gone: false };

test('the first verdict on a container stands, whatever later versions of its pod show', (t) => {
  t.deepEqual(lastingWord(undefined, deleted), deleted);
  t.like(lastingWord(deleted, green), { verdict: { reason: 'pod_deleted' }, ended: true, exitCode: 0 });
  t.like(lastingWord(green, { ...deleted, gone: true }), {
    verdict: { outcome: 'succeeded' },
    ended: true,
    gone: true,
  });
  t.deepEqual(lastingWord(green, undefined), green);
  t.is(lastingWord(undefined, undefined), undefined);
});
