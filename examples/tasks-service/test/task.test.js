import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isOverdue, parseTask } from '../src/task.js';

describe('parseTask', () => {
  test('accepts a title, and takes the space around it away', () => {
    assert.equal(parseTask({ title: '  Buy milk ' }).fields.title, 'Buy milk');
  });

  test('accepts a day and a state', () => {
    const { fields } = parseTask({ title: 'x', due: '2028-02-29', done: true });
    assert.deepEqual(fields, { title: 'x', due: '2028-02-29', done: true });
  });

  test('a change may leave everything out', () => {
    assert.deepEqual(parseTask({}, { partial: true }).mistakes, undefined);
  });

  for (const input of [null, [], 'text', {}, { title: ' ' }, { title: 'x'.repeat(201) }, { title: 1 }]) {
    test(`refuses ${JSON.stringify(input)?.slice(0, 20)} as a new task`, () => {
      assert.equal(parseTask(input).mistakes.length, 1);
    });
  }

  for (const due of ['2026-02-29', '2026-13-01', '26-01-01', 'tomorrow', 5]) {
    test(`refuses ${due} as a day`, () => {
      assert.match(parseTask({ title: 'x', due }).mistakes[0], /^due must be a day/);
    });
  }

  test('names every mistake at once', () => {
    assert.equal(parseTask({ titel: 'x', done: 'yes' }).mistakes.length, 3);
  });
});

describe('isOverdue', () => {
  const task = { due: '2026-03-29', done: false };

  test('not on its day, up to the last second of this place', () => {
    assert.equal(isOverdue(task, new Date(2026, 2, 29, 23, 59, 59)), false);
  });

  test('from midnight on', () => {
    assert.equal(isOverdue(task, new Date(2026, 2, 30)), true);
  });

  test('never when it is done or has no day', () => {
    assert.equal(isOverdue({ ...task, done: true }, new Date(2030, 0, 1)), false);
    assert.equal(isOverdue({ due: null, done: false }, new Date(2030, 0, 1)), false);
  });
});
