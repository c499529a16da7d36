import assert from 'node:assert/strict';
import test from 'node:test';

const tasks = `${process.env.APP_URL}/tasks`;
const post = (body) => fetch(tasks, { method: 'POST', body: JSON.stringify(body) });

test('a task that was made is listed', async () => {
  const made = await post({ title: 'write' });
  assert.equal(made.status, 201);
  const { id } = await made.json();
  const listed = await (await fetch(tasks)).json();
  assert.ok(listed.some((task) => task.id === id && task.title === 'write'));
});

test('a task without a title is refused', async () => {
  assert.equal((await post({})).status, 400);
});
