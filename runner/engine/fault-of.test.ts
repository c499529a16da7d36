import test from 'ava';
import { SluiceError } from '../model/errors.ts';
import { faultOf } from './fault-of.ts';

test('a full disk is not taken for a defect of Sluice', (t) => {
  t.deepEqual(faultOf(new SluiceError('ERR_FULL', 'The disk is full.')), {
    outcome: 'errored',
    reason: 'collect_failed',
    message: 'The disk is full.',
  });
});

test('whatever else keeps an attempt from being carried out is a defect', (t) => {
  t.is(faultOf(new SluiceError('ERR_CORRUPT', 'x')).reason, 'internal_error');
  t.is(faultOf(new TypeError('x')).reason, 'internal_error');
});
