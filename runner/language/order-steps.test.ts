import test from 'ava';
import fc from 'fast-check';
import { orderSteps } from './order-steps.ts';
import type { GraphNode } from './order-steps.ts';

/** Graphs whose steps need only steps above them, in any order of the file. */
const acyclic = fc
  .array(fc.array(fc.nat(60), { maxLength: 5 }), { maxLength: 60 })
  .map((rows) =>
    rows.map((needs, index) => ({ name: `s${index}`, needs: unique(needs.filter((need) => need < index)) })),
  )
  .chain((nodes) => fc.shuffledSubarray(nodes, { minLength: nodes.length, maxLength: nodes.length }));

function unique(needs: readonly number[]): string[] {
  return [...new Set(needs)].map((need) => `s${need}`);
}

test('every step stands behind those that it needs, and none is lost or added', (t) => {
  fc.assert(
    fc.property(acyclic, (nodes) => {
      const ordered = orderSteps(nodes);
      if (!ordered.ok) return t.fail('a cycle was found where there is none');
      t.deepEqual(ordered.names.toSorted(), nodes.map(({ name }) => name).toSorted());
      const place = new Map(ordered.names.map((name, index) => [name, index]));
      for (const { name, needs } of nodes) {
        for (const need of needs) t.true((place.get(need) ?? Infinity) < (place.get(name) ?? -1));
      }
    }),
  );
});

test('an order that is right already stays as it is', (t) => {
  const nodes: GraphNode[] = [
    { name: 'b', needs: [] },
    { name: 'a', needs: [] },
    { name: 'd', needs: ['a'] },
    { name: 'c', needs: ['b'] },
  ];
  t.deepEqual(orderSteps(nodes), { ok: true, names: ['b', 'a', 'd', 'c'] });
});

test('a cycle is always found, and its path follows the needs', (t) => {
  fc.assert(
    fc.property(acyclic, fc.nat(), fc.integer({ min: 1, max: 10 }), (nodes, seed, length) => {
      fc.pre(nodes.length >= length);
      const members = Array.from({ length }, (_, index) => nodes[(seed + index) % nodes.length]?.name ?? '');
      const closed = nodes.map(({ name, needs }) => {
        const index = members.indexOf(name);
        return { name, needs: index < 0 ? needs : [...needs, members[(index + 1) % length] ?? ''] };
      });
      const ordered = orderSteps(closed);
      if (ordered.ok) return t.fail('the cycle was not found');
      const needsOf = new Map(closed.map(({ name, needs }) => [name, needs]));
      for (const cycle of ordered.cycles) {
        t.is(cycle[0], cycle.at(-1));
        for (const [index, name] of cycle.slice(0, -1).entries())
          t.true(needsOf.get(name)?.includes(cycle[index + 1] ?? ''));
      }
    }),
  );
});

test('a chain of two thousand steps is walked, whichever end it starts from', (t) => {
  const chain = Array.from({ length: 2_000 }, (_, index) => ({
    name: `s${index}`,
    needs: index > 0 ? [`s${index - 1}`] : [],
  }));
  t.true(orderSteps(chain).ok);
  t.deepEqual(orderSteps(chain.toReversed()), orderSteps(chain));
});
