import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { createGitSources } from './git-source.ts';
import { createMirrors } from './mirrors.ts';

async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const identity = ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com'];
  return (await promisify(execFile)('git', ['-C', folder, ...identity, ...args])).stdout.trim();
}

async function setUp(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-mirror-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await git(folder, 'init', '-q', '-b', 'main', 'origin');
  const url = join(folder, 'origin');
  const commit = async (text: string) => {
    await writeFile(join(url, 'file'), text);
    await git(url, 'add', '.');
    await git(url, 'commit', '-qm', text);
    return git(url, 'rev-parse', 'HEAD');
  };
  const options = { environment: process.env, folder: join(folder, 'mirrors') };
  return { url, commit, options, mirrors: createMirrors(options), remote: { id: 'shop', url, token: '' } };
}

test('R001-4: the commit that was pushed is fetched, also when the branch has moved on', async (t) => {
  const { commit, mirrors, remote, options } = await setUp(t);
  const [first, second] = [await commit('one'), await commit('two')];
  const sources = createGitSources({ environment: process.env, temporaryFolder: options.folder });
  t.teardown(() => sources.close());
  const folders = await Promise.all(
    [first, second, first].map((id) => mirrors.fetch(remote, { commit: id, ref: 'refs/heads/main' })),
  );
  for (const [index, text] of ['one', 'two', 'one'].entries()) {
    const source = await sources.open(folders[index] ?? '', [first, second, first][index]);
    t.is(await source.read('file', 100), text);
  }
});

test('R001-20: a commit that is there is not fetched again', async (t) => {
  const { commit, mirrors, remote, url } = await setUp(t);
  const wanted = { commit: await commit('one'), ref: 'refs/heads/main' };
  const folder = await mirrors.fetch(remote, wanted);
  await rm(url, { recursive: true });
  t.is(await mirrors.fetch(remote, wanted), folder);
});

test('R001-21: an unknown commit, a repository that is gone and a commit that is no id are told apart', async (t) => {
  const { commit, mirrors, remote } = await setUp(t);
  await commit('one');
  const wanted = { commit: '0123456789'.repeat(4), ref: 'refs/heads/main' };
  await t.throwsAsync(mirrors.fetch(remote, wanted), { code: 'ERR_SOURCE', message: /0123456789.*cannot be fetched/ });
  const gone = { ...remote, id: 'gone', url: `${remote.url}-gone` };
  await t.throwsAsync(mirrors.fetch(gone, wanted), { code: 'ERR_SOURCE', message: /origin-gone/ });
  const option = { commit: '--upload-pack=touch /tmp/x', ref: '' };
  await t.throwsAsync(mirrors.fetch(remote, option), { code: 'ERR_SOURCE', message: /no full commit id/ });
});

test('only protocols that were asked for are spoken', async (t) => {
  const { commit, mirrors, remote } = await setUp(t);
  const wanted = { commit: await commit('one'), ref: '' };
  for (const url of ['ext::sh -c "touch /tmp/owned"', 'ftp://host/x', '--upload-pack=x'])
    await t.throwsAsync(mirrors.fetch({ ...remote, id: 'odd', url }, wanted), { code: 'ERR_SOURCE' });
});

test('the token goes to its own server only, and stands in no argument of a process', async (t) => {
  const { commit, mirrors, remote } = await setUp(t);
  const wanted = { commit: await commit('one'), ref: '' };
  const seen: (string | undefined)[] = [];
  const listen = async (answer: (request: IncomingMessage) => readonly [number, Record<string, string>]) => {
    const server = createServer((request, response) => {
      seen.push(`${server === other ? 'other' : 'own'} ${request.headers.authorization}`);
      response.writeHead(...(answer(request) as [number, Record<string, string>])).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    return server;
  };
  const port = (server: ReturnType<typeof createServer>) => (server.address() as { readonly port: number }).port;
  const other: ReturnType<typeof createServer> = await listen(() => [404, {}]);
  const own = await listen(({ url = '' }) => [302, { location: `http://127.0.0.1:${port(other)}${url}` }]);
  const secret = { ...remote, id: 'http', url: `http://127.0.0.1:${port(own)}/shop.git`, token: 'tell-nobody' };
  const error = await t.throwsAsync(mirrors.fetch(secret, wanted), { code: 'ERR_SOURCE' });
  t.false(error.message.includes('tell-nobody'));
  const basic = `Basic ${Buffer.from('x-access-token:tell-nobody').toString('base64')}`;
  t.true(seen.length > 0);
  t.deepEqual([...new Set(seen)], [`own ${basic}`]);
});

test('a server that accepts and never answers ends the fetch in seconds, and what waits behind it goes on', async (t) => {
  t.timeout(30_000);
  const { commit, options, remote } = await setUp(t);
  const wanted = { commit: await commit('one'), ref: 'refs/heads/main' };
  const sockets: Socket[] = [];
  const silent = createTcpServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const mirrors = createMirrors({ ...options, silenceSeconds: 1 });
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/shop.git`;
  const stuck = t.throwsAsync(mirrors.fetch({ ...remote, url }, wanted), {
    code: 'ERR_SOURCE',
    message: /cannot be fetched.*too slow/,
  });
  const behind = mirrors.fetch(remote, wanted);
  await stuck;
  t.true((await behind).endsWith('shop.git'));
});

test('a branch, a tag and a commit id are resolved where the repository is, and what is none of them is named', async (t) => {
  const { commit, mirrors, remote, url } = await setUp(t);
  const first = await commit('one');
  await git(url, 'tag', '-am', 'first release', 'v1');
  await git(url, 'branch', 'v2');
  const second = await commit('two');
  t.deepEqual(await mirrors.resolve(remote, 'main'), { commit: second, ref: 'refs/heads/main' });
  t.deepEqual(await mirrors.resolve(remote, 'v1'), { commit: first, ref: 'refs/tags/v1' });
  t.deepEqual(await mirrors.resolve(remote, 'refs/heads/v2'), { commit: first, ref: 'refs/heads/v2' });
  t.deepEqual(await mirrors.resolve(remote, first), { commit: first, ref: '' });
  for (const wrong of ['nope', '', '--upload-pack=x', first.slice(0, 8)])
    await t.throwsAsync(mirrors.resolve(remote, wrong), { code: 'ERR_SOURCE', message: /is no commit of/ });
  await t.throwsAsync(mirrors.resolve({ ...remote, url: `${url}-gone` }, 'main'), {
    code: 'ERR_SOURCE',
    message: /gone/,
  });
});

test('a repository with more refs than fit into memory is refused in words, and one with ten thousand is not', async (t) => {
  const { commit, mirrors, remote, url } = await setUp(t);
  const id = await commit('one');
  const pack = (count: number, length: number) => {
    const names = Array.from({ length: count }, (_, index) => `${'x'.repeat(length)}${String(index).padStart(7, '0')}`);
    const lines = names.map((name) => `${id} refs/heads/${name}\n`);
    return writeFile(join(url, '.git', 'packed-refs'), ['# pack-refs with: peeled fully-peeled sorted \n', ...lines]);
  };
  await pack(10_000, 20);
  const { refs, head } = await mirrors.refs(remote);
  t.is(refs.size, 10_001);
  t.is(head?.commit, id);
  await pack(25_000, 3_000);
  await t.throwsAsync(mirrors.refs(remote), {
    code: 'ERR_SOURCE',
    message: /cannot be listed: more than 67108864 bytes/,
  });
});
