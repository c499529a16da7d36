import test from 'ava';
import { commandVerdict } from './command-verdict.ts';

const plain = { stopped: undefined, outOfMemory: false, survivors: [] };

test('only an exit code of 0 that was seen, with nothing left running, succeeds', (t) => {
  t.deepEqual(commandVerdict({ ...plain, end: { code: 0 } }), { outcome: 'succeeded' });
  t.is(commandVerdict({ ...plain, end: undefined }).outcome, 'errored');
  t.is(commandVerdict({ ...plain, end: { code: 0 }, stopped: 'timeout' }).reason, 'timeout');
  t.like(commandVerdict({ ...plain, end: { code: 0 }, survivors: [7] }), {
    outcome: 'errored',
    message: 'processes 7 could not be ended',
  });
});

test('a kill counts as want of memory only when the kernel killed something meanwhile', (t) => {
  t.is(commandVerdict({ ...plain, end: { signal: 'SIGKILL' }, outOfMemory: true }).reason, 'oom');
  t.is(commandVerdict({ ...plain, end: { code: 137 }, outOfMemory: true }).reason, 'oom');
  t.is(commandVerdict({ ...plain, end: { signal: 'SIGKILL' } }).reason, 'signalled');
  t.is(commandVerdict({ ...plain, end: { code: 137 } }).reason, 'exit_code');
  t.is(commandVerdict({ ...plain, end: { signal: 'SIGTERM' }, outOfMemory: true }).reason, 'signalled');
  t.is(commandVerdict({ ...plain, end: { code: 1 }, outOfMemory: true }).reason, 'exit_code');
});

test('the exit codes of the shell are put into words', (t) => {
  t.is(commandVerdict({ ...plain, end: { code: 3 } }).message, 'exit code 3');
  t.is(commandVerdict({ ...plain, end: { code: 127 } }).message, 'exit code 127: a command was not found');
});
