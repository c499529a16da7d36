import test from 'ava';
import { removeDue } from './backends.ts';
import type { KnownBackend } from './backends.ts';

const backend = (name: string, marks: Partial<KnownBackend> = {}): KnownBackend => ({
  ...{ backend: { name, services: [] }, repository: 'shop', createdAt: 0, isProtected: false, isEnding: false },
  ...{ deleteAt: 10 },
  ...marks,
});

test('of several backends that are due one that cannot be removed holds up none of the others', async (t) => {
  const all = [backend('a'), backend('b'), backend('c', { isProtected: true }), backend('d', { isEnding: true })];
  const refused = new Error('a webhook says no');
  const remove = (name: string) => (name === 'a' ? Promise.reject(refused) : Promise.resolve());
  t.deepEqual(await removeDue(10, all, remove), [{ name: 'a', error: refused }, { name: 'b' }]);
  t.deepEqual(await removeDue(9, all, remove), []);
});
