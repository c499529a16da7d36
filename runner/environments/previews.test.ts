import test from 'ava';
import type { Preview } from '../model/backend.ts';
import { adviceOf, SluiceError } from '../model/errors.ts';
import type { Json } from '../model/json.ts';
import type { Logger } from '../model/logger.ts';
import { fateOf, PreviewSweeper } from './preview-sweeper.ts';
import type { PreviewSweeperOptions } from './preview-sweeper.ts';
import { claimPreview, dismissPreview, forgetPreview, readPreviews } from './previews.ts';
import type { OwnedPreview, Records } from './previews.ts';

const hour = 3_600_000;

/** Records that compare and set, as those of sites do. */
function memory(): Records {
  let kept: { readonly value: Json; readonly version: string } | undefined;
  return {
    read: () => Promise.resolve(kept),
    write: async (_name, value, version) => {
      await Promise.resolve();
      if (kept?.version !== version) throw new SluiceError('ERR_CONFLICT', 'somebody else wrote it');
      kept = { value, version: String(Number(version ?? 0) + 1) };
      return kept;
    },
  };
}

const preview = (name: string, changes: Partial<Preview> = {}): Preview => ({
  environment: `preview-${name}`,
  branch: name,
  ttlMs: hour,
  max: 2,
  ...changes,
});

const never = (): Promise<never> => Promise.reject(new Error('nothing is to be removed'));

test('a preview lives from the begin of its last run on', async (t) => {
  const records = memory();
  await claimPreview(records, 'shop', preview('a'), 1_000, never);
  await claimPreview(records, 'shop', preview('a'), 2_000, never);
  t.deepEqual(await readPreviews(records), [{ environment: 'preview-a', branch: 'a', ttlMs: hour, usedAt: 2_000 }]);
});

test('of many that begin at once as many as the backend may have get one, and the others are told what to do', async (t) => {
  const records = memory();
  const claims = ['a', 'b', 'c', 'd', 'e'].map((name) => claimPreview(records, 'shop', preview(name), 1, never));
  const ends = await Promise.allSettled(claims);
  t.is(ends.filter(({ status }) => status === 'fulfilled').length, 2);
  t.is((await readPreviews(records)).length, 2);
  const refusal = await t.throwsAsync(claimPreview(records, 'shop', preview('f'), 1, never), { code: 'ERR_CONFLICT' });
  t.regex(
    adviceOf(refusal),
    /"shop" has as many previews as it may have, 2: those of \w, \w\. Close a pull request, delete/,
  );
});

test('those whose time is over make room, and what was left half removed is removed before it begins anew', async (t) => {
  const records = memory();
  const removed: string[] = [];
  const remove = async (one: { readonly environment: `preview-${string}`; readonly usedAt: number }) => {
    removed.push(one.environment);
    await dismissPreview(records, one);
    await forgetPreview(records, one.environment);
  };
  await claimPreview(records, 'shop', preview('a'), 1, never);
  await claimPreview(records, 'shop', preview('b'), 2 * hour - 1, remove);
  t.deepEqual(removed, ['preview-a']);
  await dismissPreview(records, { environment: 'preview-b', usedAt: 2 * hour - 1 });
  t.like(await readPreviews(records), [{ environment: 'preview-b', leaving: true }]);
  await claimPreview(records, 'shop', preview('b'), 2 * hour, remove);
  t.deepEqual(removed, ['preview-a', 'preview-b']);
  t.deepEqual(
    (await readPreviews(records)).map(({ usedAt, leaving }) => [usedAt, leaving]),
    [[2 * hour, undefined]],
  );
});

test('a preview in which a run began meanwhile is not dismissed, and its word is not forgotten', async (t) => {
  const records = memory();
  await claimPreview(records, 'shop', preview('a'), 1, never);
  await claimPreview(records, 'shop', preview('a'), 2, never);
  t.false(await dismissPreview(records, { environment: 'preview-a', usedAt: 1 }));
  await forgetPreview(records, 'preview-a');
  t.is((await readPreviews(records)).length, 1);
});

const owned = (changes: Partial<OwnedPreview> = {}): OwnedPreview => ({
  environment: 'preview-a',
  branch: 'a',
  ttlMs: hour,
  usedAt: 100,
  backend: 'shop',
  repository: 'shop',
  ...changes,
});

test('delivery.md §2, row 20: what goes and why is decided by what is there', (t) => {
  const there = { branches: new Set(['a']), closedAt: undefined, isClosed: undefined, now: 200 };
  t.is(fateOf(owned(), there), undefined);
  t.is(fateOf(owned(), { ...there, branches: undefined }), undefined, 'nobody knows');
  t.deepEqual(fateOf(owned(), { ...there, branches: new Set(['b']) }), { why: 'its branch is gone', leaked: true });
  t.is(fateOf(owned(), { ...there, now: 99 + hour }), undefined);
  t.like(fateOf(owned(), { ...there, now: 100 + hour }), { leaked: true });
  t.like(fateOf(owned(), { ...there, branches: undefined, now: 100 + hour }), { why: 'its time is over' });
  t.like(fateOf(owned({ pullRequest: 7 }), { ...there, closedAt: 150 }), { leaked: false });
  t.is(fateOf(owned({ pullRequest: 7 }), { ...there, closedAt: 50 }), undefined, 'it was opened again');
  t.is(fateOf(owned({ pullRequest: 7 }), { ...there, isClosed: false }), undefined);
  t.deepEqual(fateOf(owned({ pullRequest: 7 }), { ...there, isClosed: true }), {
    why: 'its pull request is closed',
    leaked: true,
  });
  t.like(fateOf(owned({ leaving: true }), there), { leaked: false });
});

function sweeperOn(previews: readonly OwnedPreview[], changes: Partial<PreviewSweeperOptions> = {}) {
  const said: string[] = [];
  const removed: string[] = [];
  const say =
    (level: string) =>
    (message: string, fields: object = {}) => {
      said.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  const logger: Logger = { error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug') };
  const sweeper = new PreviewSweeper({
    place: {
      list: () => Promise.resolve(previews.filter(({ environment }) => !removed.includes(environment))),
      remove: ({ environment }) => {
        removed.push(environment);
        return Promise.resolve(true);
      },
    },
    branchesOf: () => Promise.resolve(new Set(['a'])),
    isClosed: () => Promise.resolve(undefined),
    isBusy: () => Promise.resolve(false),
    clock: () => 200,
    logger,
    ...changes,
  });
  return { sweeper, said, removed };
}

test('a round removes what has no branch any more, reports it as a leak, and leaves what runs are in', async (t) => {
  const previews = [
    owned(),
    owned({ environment: 'preview-b', branch: 'b' }),
    owned({ environment: 'preview-c', branch: 'c' }),
  ];
  const isBusy = ({ branch }: OwnedPreview) => Promise.resolve(branch === 'c');
  const { sweeper, said, removed } = sweeperOn(previews, { isBusy });
  await sweeper.round();
  t.deepEqual(removed, ['preview-b']);
  t.deepEqual(said.length, 1);
  t.regex(said[0] ?? '', /^warn a preview was removed .*"branch":"b","why":"its branch is gone"/);
});

test('one that cannot be removed, or a forge that does not answer, keeps no other from being judged', async (t) => {
  const previews = [
    owned({ environment: 'preview-b', branch: 'b' }),
    owned({ environment: 'preview-x', repository: 'away', usedAt: -hour }),
  ];
  const gone: string[] = [];
  const { sweeper, said } = sweeperOn(previews, {
    branchesOf: (name) => (name === 'away' ? Promise.reject(new Error('no route')) : Promise.resolve(new Set(['a']))),
    place: {
      list: () => Promise.resolve(previews),
      remove: ({ environment }) => {
        if (environment === 'preview-b') return Promise.reject(new Error('it is stuck'));
        gone.push(environment);
        return Promise.resolve(true);
      },
    },
  });
  await sweeper.round();
  t.deepEqual(gone, ['preview-x']);
  t.is(said.filter((line) => /no route|it is stuck/.test(line)).length, 2);
});

test('one whose removal takes its time holds up those of no other backend', async (t) => {
  const stuck = Promise.withResolvers<boolean>();
  const gone: string[] = [];
  const { sweeper } = sweeperOn([], {
    place: {
      list: (_, unreadable) => {
        unreadable?.('broken', new SluiceError('ERR_CORRUPT', 'it is no record', { hint: 'Mend it.' }));
        return Promise.resolve([
          owned({ environment: 'preview-b', branch: 'b' }),
          owned({ environment: 'preview-c', branch: 'c', backend: 'other' }),
        ]);
      },
      remove: ({ environment }) => {
        gone.push(environment);
        return environment === 'preview-b' ? stuck.promise : Promise.resolve(true);
      },
    },
  });
  const round = sweeper.round();
  while (gone.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  t.deepEqual(gone, ['preview-b', 'preview-c']);
  stuck.resolve(true);
  await round;
});

test('a pull request that was closed while nobody heard it goes by the word of its forge, and one that cannot be asked about stays', async (t) => {
  const previews = [5, 6, 7].map((pullRequest) => owned({ environment: `preview-pr-${pullRequest}`, pullRequest }));
  const isClosed = (repository: string, number: number) =>
    number === 6 ? Promise.reject(new Error('no route')) : Promise.resolve(repository === 'shop' && number === 7);
  const { sweeper, said, removed } = sweeperOn(previews, { isClosed });
  await sweeper.round();
  t.deepEqual(removed, ['preview-pr-7']);
  t.regex(said.join('\n'), /warn the pull request of a preview is not known .*no route/);
  t.regex(said.join('\n'), /warn a preview was removed .*"why":"its pull request is closed"/);
});

test('a pull request that was closed is removed at once, with no word of a leak', async (t) => {
  const { sweeper, said, removed } = sweeperOn([owned({ pullRequest: 7 })]);
  const stop = new AbortController();
  const ended = sweeper.run(hour, stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.deepEqual(removed, []);
  sweeper.ended('shop', 8);
  sweeper.ended('shop', 7);
  while (said.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.deepEqual(removed, ['preview-a']);
  t.regex(said[0] ?? '', /^info /);
  stop.abort();
  await ended;
});
