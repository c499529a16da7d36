import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Blobs } from './store.ts';

export const sha256OfHello = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
const sha256OfNothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** An empty place for the blobs of one test. */
interface BlobPlace {
  /** Opens it once more, as another process would. */
  readonly open: () => Promise<Blobs>;
  /** Names of what is stored, without those of folders. */
  readonly names: () => Promise<readonly string[]>;
  /** Replaces the bytes behind the back of the port. */
  readonly damage: (sha256: string, bytes: string) => Promise<void>;
}

export function streamOf(...chunks: readonly string[]): Readable {
  return Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
}

/** What every Blobs owes its users. */
export function blobsContract(newPlace: (t: ExecutionContext) => Promise<BlobPlace>): void {
  test('bytes come back whole under their sha256', async (t) => {
    const { open } = await newPlace(t);
    const blobs = await open();
    t.deepEqual(await blobs.put(streamOf('hel', 'lo')), { sha256: sha256OfHello, bytes: 5 });
    t.is(await text(await blobs.open(sha256OfHello)), 'hello');
    t.is(await blobs.size(sha256OfHello), 5);
    t.deepEqual(await blobs.put(streamOf()), { sha256: sha256OfNothing, bytes: 0 });
    t.is(await text(await blobs.open(sha256OfNothing)), '');
  });

  test('the same bytes are stored once, also when several put them at the same time', async (t) => {
    const { open, names } = await newPlace(t);
    const [one, two] = [await open(), await open()];
    await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 ? one : two).put(streamOf('hello'))));
    t.deepEqual(await names(), [sha256OfHello]);
  });

  test('a stream of text is stored as UTF-8', async (t) => {
    const { open } = await newPlace(t);
    const blobs = await open();
    const { sha256, bytes } = await blobs.put(Readable.from(['grün ', '🚦']));
    t.is(bytes, 10);
    t.is(await text(await blobs.open(sha256)), 'grün 🚦');
  });

  test('a large blob goes through in pieces', async (t) => {
    const { open } = await newPlace(t);
    const blobs = await open();
    const piece = Buffer.alloc(1_000_000, 'abc');
    const { sha256, bytes } = await blobs.put(Readable.from(Array.from({ length: 20 }, () => piece)));
    t.is(bytes, 20_000_000);
    t.true((await buffer(await blobs.open(sha256))).equals(Buffer.concat(Array.from({ length: 20 }, () => piece))));
  });

  test('a range is read without its end', async (t) => {
    const { open } = await newPlace(t);
    const blobs = await open();
    await blobs.put(streamOf('hello'));
    const range = async (start: number, end?: number) =>
      text(await blobs.open(sha256OfHello, end === undefined ? { start } : { start, end }));
    t.is(await range(1, 3), 'el');
    t.is(await range(3), 'lo');
    t.is(await range(0, 99), 'hello');
    t.is(await range(2, 2), '');
    t.is(await range(5), '');
    t.is(await range(9), '');
  });

  test('an unknown blob is not found, whatever its name looks like', async (t) => {
    const { open } = await newPlace(t);
    const blobs = await open();
    for (const name of [sha256OfHello, '../secret', '', sha256OfHello.toUpperCase(), `${sha256OfHello}\n`]) {
      await t.throwsAsync(blobs.open(name), { code: 'ERR_NOT_FOUND' });
      t.is(await blobs.size(name), undefined);
    }
  });

  test('a whole read of rotten bytes ends in an error that names the blob', async (t) => {
    const { open, damage } = await newPlace(t);
    const blobs = await open();
    await blobs.put(streamOf('hello'));
    await damage(sha256OfHello, 'hellO');
    const message = new RegExp(sha256OfHello);
    await t.throwsAsync(async () => text(await blobs.open(sha256OfHello)), { code: 'ERR_CORRUPT', message });
  });

  test('a source that ends in an error leaves nothing under any name', async (t) => {
    const { open, names } = await newPlace(t);
    const broken = Readable.from(
      (function* () {
        yield Buffer.from('hel');
        throw new Error('connection lost');
      })(),
    );
    await t.throwsAsync((await open()).put(broken), { message: 'connection lost' });
    t.deepEqual(await names(), []);
  });
}
