import test from 'ava';
import fc from 'fast-check';
import type { AgentState, Collected } from '../../agent/protocol.ts';
import { verdictOf } from '../../model/outcome.ts';
import type { AttemptView, KubeletWord } from './next-move.ts';
import { nextMove } from './next-move.ts';

const patience = { graceMs: 1_000, answerMs: 5_000, returnMs: 8_000, removalMs: 60_000 };
const results: Collected = {
  files: [],
  output: '',
  caches: {},
  notes: [],
  log: { bytes: 0, sha256: '0'.repeat(64), complete: true },
};
const collected: AgentState = { phase: 'collected', startedAt: 1, finishedAt: 2, exitCode: 0, results };
const green: KubeletWord = { verdict: { outcome: 'succeeded' }, exitCode: 0, ended: true, gone: false };

function view(change: Partial<AttemptView> = {}): AttemptView {
  return {
    now: 10_000,
    agent: undefined,
    kubelet: undefined,
    agentLost: undefined,
    hopeless: undefined,
    stop: undefined,
    unready: [],
    heardAt: undefined,
    released: false,
    begunBefore: false,
    takenAt: 0,
    toldAt: 10_000,
    askedToStopAt: undefined,
    askedToCollect: false,
    killedAt: undefined,
    doom: undefined,
    lacksLog: false,
    collectedAt: undefined,
    ...change,
  };
}

const states: readonly (AgentState | undefined)[] = [
  undefined,
  { phase: 'waiting' },
  { phase: 'refused', reason: 'workspace_failed', message: '', notes: [] },
  { phase: 'running', startedAt: 1 },
  { phase: 'ended', startedAt: 1, finishedAt: 2, exitCode: 0 },
  collected,
  { ...collected, results: { ...results, problem: { reason: 'artifact_missing', message: 'x' } } },
];
const words: readonly (KubeletWord | undefined)[] = [
  undefined,
  green,
  { verdict: verdictOf('exit_code'), exitCode: 3, ended: true, gone: false },
  { verdict: verdictOf('oom'), signal: 'SIGKILL', exitCode: 137, ended: true, gone: false },
  { verdict: verdictOf('service_failed'), ended: false, gone: false },
  { verdict: verdictOf('evicted'), ended: false, gone: true },
  { ...green, gone: true },
];
const pick = <Value>(values: readonly Value[]): fc.Arbitrary<Value> => fc.constantFrom(...values);
const moment = fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: undefined });
const views = fc.record({
  now: fc.integer({ min: 0, max: 20_000 }),
  agent: pick(states),
  kubelet: pick(words),
  agentLost: pick([undefined, verdictOf('agent_failed')]),
  hopeless: pick([undefined, verdictOf('image_pull')]),
  stop: pick([undefined, 'cancelled', 'timeout'] as const),
  unready: pick([[], ['db']]),
  heardAt: moment,
  released: fc.boolean(),
  begunBefore: fc.boolean(),
  lacksLog: fc.boolean(),
  takenAt: fc.integer({ min: 0, max: 20_000 }),
  toldAt: fc.integer({ min: 0, max: 20_000 }),
  askedToStopAt: moment,
  askedToCollect: fc.boolean(),
  killedAt: moment,
  doom: pick([undefined, verdictOf('agent_failed')]),
  collectedAt: moment,
});

test('I13: green only where shell, agent and kubelet agree, and nobody wished otherwise', (t) => {
  fc.assert(
    fc.property(views, (seen) => {
      const move = nextMove(seen, patience);
      if (move.do !== 'finish' || move.verdict.outcome !== 'succeeded') return true;
      const { agent, kubelet, stop } = seen;
      return (
        agent?.phase === 'collected' &&
        agent.results.problem === undefined &&
        kubelet?.verdict.outcome === 'succeeded' &&
        kubelet.exitCode === 0 &&
        stop === undefined &&
        move.results !== undefined
      );
    }),
    { numRuns: 5_000 },
  );
  t.pass();
});

test('whatever is known, nothing is waited for that is due already', (t) => {
  fc.assert(
    fc.property(views, (seen) => {
      const move = nextMove(seen, patience);
      return move.do !== 'wait' || move.until > seen.now;
    }),
    { numRuns: 5_000 },
  );
  t.pass();
});

test('a command is not released before its agent is there, after a stop, or twice', (t) => {
  fc.assert(
    fc.property(views, (seen) => {
      if (nextMove(seen, patience).do !== 'release') return true;
      return seen.agent?.phase === 'waiting' && seen.stop === undefined && !seen.released && seen.unready.length === 0;
    }),
    { numRuns: 5_000 },
  );
  t.pass();
});

test('a step that is stopped ends by the reason of the stop, however its command ended', (t) => {
  for (const kubelet of words) {
    const move = nextMove(
      view({ agent: collected, released: true, stop: 'timeout', kubelet, now: 60_000, collectedAt: 0 }),
      patience,
    );
    t.like(move, { do: 'finish', verdict: { reason: 'timeout' } });
  }
});

test('when the kubelet contradicts the shell, the kubelet is right', (t) => {
  const kubelet: KubeletWord = {
    verdict: verdictOf('oom'),
    signal: 'SIGKILL',
    exitCode: 137,
    ended: true,
    gone: false,
  };
  t.like(nextMove(view({ agent: collected, released: true, kubelet }), patience), { verdict: { reason: 'oom' } });
});

test('a kubelet that never says how it ended makes a delivered step lost, not green', (t) => {
  const seen = view({ agent: collected, released: true, collectedAt: 10_000 });
  t.deepEqual(nextMove(seen, patience), { do: 'wait', until: 15_000 });
  t.like(nextMove({ ...seen, now: 15_000, toldAt: 15_000 }, patience), {
    do: 'finish',
    verdict: { reason: 'node_lost' },
  });
});

test('while the API server says nothing, the word of the kubelet is waited for', (t) => {
  const seen = view({ agent: collected, released: true, collectedAt: 10_000, toldAt: 9_000, now: 900_000 });
  t.is(nextMove(seen, patience).do, 'wait');
  t.like(nextMove({ ...seen, kubelet: green }, patience), { verdict: { outcome: 'succeeded' } });
});

test('an attempt of a lost agent ends when its command has, by the reason that was there before the pod was killed', (t) => {
  const agent: AgentState = { phase: 'running', startedAt: 1 };
  const seen = view({ agent, released: true, agentLost: verdictOf('agent_failed') });
  const move = nextMove(seen, patience);
  t.like(move, { do: 'kill', verdict: { reason: 'agent_failed' } });
  const doomed = { ...seen, killedAt: 10_000, doom: verdictOf('agent_failed') };
  t.is(nextMove(doomed, patience).do, 'wait');
  const kubelet: KubeletWord = { verdict: verdictOf('pod_deleted'), ended: false, gone: true };
  t.like(nextMove({ ...doomed, kubelet }, patience), { do: 'finish', verdict: { reason: 'agent_failed' } });
  t.like(nextMove({ ...doomed, now: 70_000 }, patience), { do: 'finish', verdict: { reason: 'agent_failed' } });
});

test('a command that ended while no runner was there is delivered when its agent has found the new one', (t) => {
  const seen = view({ begunBefore: true, kubelet: green, takenAt: 9_000 });
  t.deepEqual(nextMove(seen, patience), { do: 'wait', until: 17_000 });
  t.like(nextMove({ ...seen, now: 17_000 }, patience), { do: 'finish', verdict: { reason: 'agent_failed' } });
  t.like(nextMove({ ...seen, agent: collected }, patience), { verdict: { outcome: 'succeeded' } });
});

test('what a runner that is gone had begun is stopped before the attempt ends', (t) => {
  t.is(nextMove(view({ begunBefore: true, stop: 'cancelled' }), patience).do, 'ask-to-stop');
  const waiting = view({ stop: 'cancelled', agent: { phase: 'waiting' } });
  t.like(nextMove(waiting, patience), { do: 'finish', verdict: { reason: 'cancelled' } });
});

test('an agent that prepares what a runner which is gone told it to is given its work again', (t) => {
  const agent: AgentState = { phase: 'waiting' };
  t.is(nextMove(view({ begunBefore: true, agent }), patience).do, 'release');
});

test('output that only the agent has is waited for, but not for ever', (t) => {
  const seen = view({ agent: collected, released: true, kubelet: green, lacksLog: true, collectedAt: 10_000 });
  t.deepEqual(nextMove(seen, patience), { do: 'wait', until: 15_000 });
  t.like(nextMove({ ...seen, now: 15_000 }, patience), { do: 'finish', verdict: { outcome: 'succeeded' } });
});

test('the wait for a pod of a dead node ends sooner where no attempt follows', (t) => {
  const agent: AgentState = { phase: 'running', startedAt: 1 };
  const seen = view({ agent, released: true, askedToStopAt: 0, killedAt: 10_000, now: 16_000 });
  t.like(nextMove({ ...seen, stop: 'cancelled' }, patience), { do: 'finish', verdict: { reason: 'cancelled' } });
  t.deepEqual(nextMove({ ...seen, stop: 'timeout' }, patience), { do: 'wait', until: 70_000 });
});

test('a command that does not end after its grace is killed with its pod', (t) => {
  const agent: AgentState = { phase: 'running', startedAt: 1 };
  const seen = view({ agent, released: true, stop: 'cancelled' });
  t.is(nextMove(seen, patience).do, 'ask-to-stop');
  t.deepEqual(nextMove({ ...seen, askedToStopAt: 10_000 }, patience), { do: 'wait', until: 16_000 });
  t.is(nextMove({ ...seen, askedToStopAt: 10_000, now: 16_000 }, patience).do, 'kill');
  const kubelet: KubeletWord = { verdict: verdictOf('pod_deleted'), ended: false, gone: true };
  t.like(nextMove({ ...seen, askedToStopAt: 0, killedAt: 1, kubelet }, patience), { verdict: { reason: 'cancelled' } });
});

test('the results of a command that was killed are collected all the same', (t) => {
  const agent: AgentState = { phase: 'running', startedAt: 1 };
  const kubelet: KubeletWord = { verdict: verdictOf('oom'), exitCode: 137, ended: true, gone: false };
  const seen = view({ agent, released: true, kubelet });
  t.deepEqual(nextMove(seen, patience), { do: 'ask-to-collect', exitCode: 137 });
  t.is(nextMove({ ...seen, askedToCollect: true }, patience).do, 'wait');
  // A container that could not even be started has no shell to say so.
  t.is(nextMove({ ...seen, agent: { phase: 'waiting' } }, patience).do, 'ask-to-collect');
});

test('a service that ended ends the step that needs it', (t) => {
  const agent: AgentState = { phase: 'running', startedAt: 1 };
  const kubelet: KubeletWord = { verdict: verdictOf('service_failed'), ended: false, gone: false };
  t.is(nextMove(view({ agent, released: true, kubelet }), patience).do, 'ask-to-stop');
  const early = view({ agent: { phase: 'waiting' }, released: true, kubelet });
  t.like(nextMove(early, patience), { do: 'kill', verdict: { reason: 'service_failed' } });
  const delivered = view({ agent: collected, released: true, kubelet, askedToStopAt: 1 });
  t.like(nextMove(delivered, patience), { verdict: { reason: 'service_failed' } });
});

test('a shell that ended while it waited for its go is no failure of the command', (t) => {
  const kubelet: KubeletWord = { verdict: verdictOf('exit_code'), exitCode: 125, ended: true, gone: false };
  for (const agent of [undefined, { phase: 'waiting' }] as const) {
    for (const gone of [false, true]) {
      const move = nextMove(view({ agent, kubelet: { ...kubelet, gone } }), patience);
      t.like(move, { do: 'finish', verdict: { outcome: 'errored', reason: 'agent_failed' } });
    }
  }
});
