import { writeFileSync } from 'node:fs';
import { LocalSite } from '../environments/local/local-site.ts';
import type { Site } from '../environments/site.ts';
import type { OperationName } from '../model/operations.ts';
import { promote } from './promotion-fixture.ts';
import type { PromotionOrder } from './promotion-fixture.ts';

export interface ChildOrder extends PromotionOrder {
  /** Behind which of its changes it is killed, from 1. */
  readonly kill?: number;
  /** Changes are counted from this operation on. */
  readonly from?: OperationName;
  /** Made before `confirm-release`. */
  readonly flag?: string;
}

const changing: ReadonlySet<PropertyKey> = new Set<keyof Site>(['write', 'start', 'task', 'route', 'keep']);

/** A promotion to be killed. */
const order = JSON.parse(process.argv[2] ?? '') as ChildOrder;
let changes = 0;
let isCounting = order.from === undefined;

const site = new Proxy(new LocalSite(order), {
  get: (target, name) => {
    const value = Reflect.get(target, name) as unknown;
    if (typeof value !== 'function') return value;
    return async (...args: readonly unknown[]): Promise<unknown> => {
      const result: unknown = await Reflect.apply(value, target, args);
      if (!isCounting || !changing.has(name)) return result;
      changes += 1;
      return changes === order.kill ? die() : result;
    };
  },
});

async function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}

try {
  await promote(order, site, {
    before: (name) => {
      isCounting ||= name === order.from;
      if (name === 'confirm-release' && order.flag !== undefined) writeFileSync(order.flag, '');
    },
  });
} catch (error) {
  process.stdout.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
