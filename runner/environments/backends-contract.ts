import test from 'ava';
import { SluiceError } from '../model/errors.ts';
import type { Backend } from '../model/backend.ts';
import type { Backends } from './backends.ts';
import { contractService } from './contract-service-fixture.ts';

export interface BackendsSubject {
  readonly backends: Backends;
  /** Names of backends begin so, for a place that is shared. */
  readonly prefix: string;
  readonly close: () => Promise<void>;
}

const goneMs = 120_000;

function codeOf(error: unknown): string | undefined {
  return error instanceof SluiceError ? error.code : undefined;
}

/** What every place of backends has to keep. Tests build on each other, because a place like a cluster is slow to make. */
export function backendsContract(create: () => Promise<BackendsSubject>): void {
  let subject: BackendsSubject;
  let shop: Backend;
  let plain: Backend;
  const named = (name: string): string => `${subject.prefix}${name}`;
  const refused = async (act: Promise<unknown>): Promise<string | undefined> =>
    codeOf(
      await act.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
  const gone = async (name: string): Promise<boolean> => {
    const deadline = performance.now() + goneMs;
    while ((await subject.backends.find(name)) !== undefined) if (performance.now() > deadline) return false;
    return true;
  };

  test.before(async () => {
    subject = await create();
    shop = { name: named('shop'), services: [contractService], database: { engine: 'postgres' } };
    plain = { name: named('plain'), services: [contractService] };
  });
  test.after.always(() => subject.close());

  test.serial('a backend is made, found and listed, with all that it was described by', async (t) => {
    const { backends } = subject;
    t.is(await backends.find(shop.name), undefined);
    const made = await backends.ensure({ backend: shop, repository: 'shops/shop' });
    t.like(made, { repository: 'shops/shop', isProtected: true, isEnding: false });
    t.deepEqual(made.backend, shop);
    t.true(Math.abs(Date.now() - made.createdAt) < 60_000);
    await backends.ensure({ backend: plain, repository: 'shops/plain' }, false);
    t.deepEqual(await backends.find(shop.name), made);
    const listed = (await backends.list()).filter(({ backend }) => backend.name.startsWith(subject.prefix));
    t.deepEqual(
      listed.map(({ backend, isProtected }) => [backend.name, isProtected]),
      [
        [plain.name, false],
        [shop.name, true],
      ],
    );
  });

  test.serial('what is there is described anew, and keeps its protection and its age', async (t) => {
    const { backends } = subject;
    const before = await backends.find(plain.name);
    const changed = { ...plain, services: [{ ...contractService, replicas: 2 }] };
    const after = await backends.ensure({ backend: changed, repository: 'shops/plain' }, true);
    t.deepEqual(after.backend, changed);
    t.like(after, { isProtected: false, createdAt: before?.createdAt ?? NaN });
  });

  test.serial('a name is that of one repository', async (t) => {
    const { backends } = subject;
    t.is(await refused(backends.ensure({ backend: shop, repository: 'bank/shop' })), 'ERR_CONFLICT');
    t.like(await backends.find(shop.name), { repository: 'shops/shop' });
  });

  test.serial('its environments have an address each, their databases, and nothing that runs yet', async (t) => {
    const { backends } = subject;
    const known = await backends.find(shop.name);
    const environments = known === undefined ? [] : await backends.environments(known);
    t.deepEqual(
      environments.map(({ environment, routed, releases, database }) => [
        environment,
        routed,
        releases,
        database === 'missing' ? 'missing' : typeof database,
      ]),
      [
        ['testing', undefined, [], 'string'],
        ['production', undefined, [], 'string'],
      ],
    );
    t.is(new Set(environments.map(({ url }) => new URL(url).host)).size, 2);
    const without = await backends.find(plain.name);
    const [first] = without === undefined ? [] : await backends.environments(without);
    t.is(first?.database, undefined);
  });

  test.serial(
    'R003-7: a preview is shown among the environments with what it is of, until it is removed',
    async (t) => {
      const { backends } = subject;
      const preview = {
        environment: 'preview-pr-7',
        branch: 'login',
        pullRequest: 7,
        ttlMs: 3_600_000,
        max: 2,
      } as const;
      const known = await backends.ensure({ backend: { ...plain, preview }, repository: 'shops/plain' });
      const [standing, ...others] = await backends.previews.list(plain.name);
      t.like(standing, { backend: plain.name, repository: 'shops/plain', branch: 'login', pullRequest: 7 });
      t.deepEqual(others, []);
      t.true((await backends.previews.list()).some(({ backend }) => backend === plain.name));
      t.deepEqual(await backends.previews.list(shop.name), []);
      const environments = await backends.environments(known);
      t.deepEqual(
        environments.map(({ environment, preview: shown }) => [environment, shown?.usedAt]),
        [
          ['testing', undefined],
          ['production', undefined],
          [preview.environment, standing?.usedAt],
        ],
      );
      t.is(new Set(environments.map(({ url }) => new URL(url).host)).size, 3);
      if (standing === undefined) return t.fail();
      t.true(await backends.previews.remove(standing));
      t.deepEqual(await backends.previews.list(plain.name), []);
      t.is((await backends.environments(known)).length, 2);
      await backends.ensure({ backend: plain, repository: 'shops/plain' });
    },
  );

  test.serial('nothing has drifted of what was just made', async (t) => {
    const { backends } = subject;
    const known = await backends.find(shop.name);
    t.deepEqual(known && (await backends.drift(known, [])), []);
  });

  test.serial('its site keeps records of its own', async (t) => {
    const { backends } = subject;
    const site = await backends.site(shop);
    const other = await backends.site(plain);
    await site.write('note', { text: 'kept' }, undefined);
    t.like(await site.read('note'), { value: { text: 'kept' } });
    t.is(await other.read('note'), undefined);
  });

  test.serial('what is protected is not deleted, now or later', async (t) => {
    const { backends } = subject;
    t.is(await refused(backends.remove(shop.name)), 'ERR_CONFLICT');
    t.is(await refused(backends.markForDeletion(shop.name, Date.now())), 'ERR_CONFLICT');
    t.like(await backends.find(shop.name), { isProtected: true, isEnding: false });
  });

  test.serial('what is marked is deleted once its time has come, unless it is protected before', async (t) => {
    const { backends } = subject;
    t.like(await backends.protect(shop.name, false), { isProtected: false });
    const at = Math.floor(Date.now() / 1_000) * 1_000 + 60_000;
    t.is((await backends.markForDeletion(shop.name, at)).deleteAt, at);
    const swept = async (now: number) => (await backends.sweep(now)).map(({ name }) => name);
    t.false((await swept(at - 1)).includes(shop.name));
    const called = await backends.protect(shop.name, true);
    t.deepEqual([called.isProtected, called.deleteAt], [true, undefined]);
    t.false((await swept(at)).includes(shop.name));
    await backends.markForDeletion(plain.name, at);
    t.true((await swept(at)).includes(plain.name));
    t.true(await gone(plain.name));
    t.like(await backends.find(shop.name), { isEnding: false });
  });

  test.serial('what is deleted is gone with its records, and its name is free', async (t) => {
    const { backends } = subject;
    await backends.protect(shop.name, false);
    await backends.remove(shop.name);
    t.true(await gone(shop.name));
    t.like(await backends.ensure({ backend: shop, repository: 'bank/shop' }, false), { repository: 'bank/shop' });
    t.is(await (await backends.site(shop)).read('note'), undefined);
    await backends.remove(shop.name);
    t.true(await gone(shop.name));
  });

  test.serial('what is not there is told so', async (t) => {
    const { backends } = subject;
    for (const act of [
      backends.remove(named('nobody')),
      backends.protect(named('nobody'), true),
      backends.markForDeletion(named('nobody'), 1),
    ])
      t.is(await refused(act), 'ERR_NOT_FOUND');
  });
}
