import test from 'ava';
import * as sample from './delivery-fixture.ts';
import { bodyOf, commit, nothing, parent } from './delivery-fixture.ts';
import type { Delivery, ForgeName, Headers, Trigger } from './forge.ts';
import { forges } from './forges.ts';
import { toTriggerEvent } from './trigger-event.ts';

const events = {
  github: { 'x-github-event': 'push' },
  gitea: { 'x-gitea-event': 'push' },
  gitlab: { 'x-gitlab-event': 'Push Hook' },
} as const;
const pull: Headers = { 'x-github-event': 'pull_request' };
const merge: Headers = { 'x-gitlab-event': 'Merge Request Hook' };

function read(forge: ForgeName, headers: Headers, payload: unknown): Delivery {
  return forges[forge].read(headers, bodyOf(payload));
}

function trigger(forge: ForgeName, headers: Headers, payload: unknown): Trigger {
  const delivery = read(forge, headers, payload);
  if (delivery.kind !== 'triggers' || !delivery.triggers[0]) throw new Error(JSON.stringify(delivery));
  return delivery.triggers[0];
}

function reason(forge: ForgeName, headers: Headers, payload: unknown): string {
  const delivery = read(forge, headers, payload);
  return delivery.kind === 'ignored' ? delivery.reason : JSON.stringify(delivery);
}

function complaint(forge: ForgeName, headers: Headers, payload: unknown): string {
  const delivery = read(forge, headers, payload);
  return delivery.kind === 'malformed' ? delivery.message : JSON.stringify(delivery);
}

const pushes = {
  github: { headers: events.github, payload: sample.githubPush },
  gitea: { headers: events.gitea, payload: sample.githubPush },
  gitlab: { headers: events.gitlab, payload: sample.gitlabPush },
} as const;

for (const { forge, title, headers, payload } of sample.samples) {
  test(`${forge}, ${title}: who, where and what`, (t) => {
    const { repository, sender, ...read } = trigger(forge, headers, payload);
    const isPull = /pull|merge/.test(title);
    const branch = isPull ? 'count' : 'main';
    t.like(read, {
      event: isPull ? 'pull_request' : 'push',
      branch,
      tag: '',
      commit: title === 'cloud pull' ? commit.slice(0, 12) : commit,
      before: isPull ? '' : parent,
      actor: 'ada',
      title: title === 'server push' ? '' : 'Count orders once',
    });
    if (!isPull) t.is(read.ref, 'refs/heads/main');
    if (isPull) t.like(read.pullRequest, { number: 5, base: 'main', fork: false, headRepositoryId: repository.id });
    t.is(repository.fullName.toLowerCase(), 'shop/orders');
    t.regex(sender.id, /^(11|\{11111111-.*\})$/);
  });
}

for (const [forge, { headers, payload }] of Object.entries(pushes) as [
  ForgeName,
  (typeof pushes)[keyof typeof pushes],
][]) {
  test(`${forge}: a tag is a tag, and what it points to is the commit`, (t) => {
    const tagObject = 'a'.repeat(40);
    const tag = { ...payload, ref: 'refs/tags/v1.2', before: nothing, after: tagObject };
    t.like(trigger(forge, headers, tag), { ref: 'refs/tags/v1.2', branch: '', tag: 'v1.2', commit, before: '' });
  });

  test(`${forge}: deleted refs and refs of other kinds start nothing`, (t) => {
    t.is(reason(forge, headers, { ...payload, after: nothing }), 'The ref was deleted.');
    t.is(reason(forge, headers, { ...payload, ref: 'refs/tags/v1', after: nothing }), 'The ref was deleted.');
    t.is(reason(forge, headers, { ...payload, ref: 'refs/notes/x' }), 'The ref is neither a branch nor a tag.');
  });

  test(`${forge}: a ref that Git would not accept is refused`, (t) => {
    const names = [
      '',
      'main',
      'a..b',
      'a b',
      'a\u0000b',
      'a~1',
      'a\nb',
      '.a',
      'a/.b',
      'a.lock',
      'a/',
      '@{1}',
      'a'.repeat(5000),
    ];
    for (const name of names.slice(2))
      t.regex(complaint(forge, headers, { ...payload, ref: `refs/heads/${name}` }), /^payload\.ref must be/, name);
    for (const hash of ['', 'main', commit.slice(1), `${commit}0`, commit.toUpperCase(), '--upload-pack=x'])
      t.regex(complaint(forge, headers, { ...payload, after: hash }), /^payload\.after must be a commit id/, hash);
  });

  test(`${forge}: SHA-256 repositories work`, (t) => {
    const long = 'ab'.repeat(32);
    const moved = { ...payload, after: long, checkout_sha: long };
    t.is(trigger(forge, headers, moved).commit, long);
  });
}

test('Bitbucket: every ref of one delivery starts its own run', (t) => {
  const target = { hash: commit, message: 'x' };
  const changes = [
    { old: null, new: { type: 'branch', name: 'a', target } },
    { old: { target: { hash: parent } }, new: null },
    { old: null, new: { type: 'tag', name: 'v1', target } },
    { old: null, new: { type: 'bookmark', name: 'b', target } },
  ];
  const delivery = read('bitbucket', { 'x-event-key': 'repo:push' }, { ...sample.cloudPush, push: { changes } });
  const refs = delivery.kind === 'triggers' ? delivery.triggers.map(({ ref }) => ref) : [];
  t.deepEqual(refs, ['refs/heads/a', 'refs/tags/v1']);
  const only = (...left: unknown[]) => ({ ...sample.cloudPush, push: { changes: left } });
  t.is(reason('bitbucket', { 'x-event-key': 'repo:push' }, only(changes[1])), 'The ref was deleted.');
  t.is(reason('bitbucket', { 'x-event-key': 'repo:push' }, only(changes[3])), 'The ref is neither a branch nor a tag.');
  t.is(reason('bitbucket', { 'x-event-key': 'repo:push' }, only()), 'No ref has changed.');
});

test('Bitbucket Data Center: every ref but the deleted ones', (t) => {
  const [change] = sample.serverPush.changes;
  const other = { ...change, ref: { id: 'refs/tags/v1' }, fromHash: nothing, type: 'ADD' };
  const gone = { ...change, type: 'DELETE', toHash: nothing };
  const headers = { 'x-event-key': 'repo:refs_changed' };
  const delivery = read('bitbucket', headers, { ...sample.serverPush, changes: [gone, change, other] });
  t.deepEqual(delivery.kind === 'triggers' && delivery.triggers.map(({ ref }) => ref), [
    'refs/heads/main',
    'refs/tags/v1',
  ]);
  t.is(reason('bitbucket', headers, { ...sample.serverPush, changes: [gone] }), 'The ref was deleted.');
});

test('a fork is decided by numbers, never by names, and what is unknown is one', (t) => {
  const withHead = (head: unknown, base: unknown = { id: 7 }) => ({
    ...sample.githubPull,
    pull_request: {
      ...sample.githubPull.pull_request,
      head: { ...sample.githubPull.pull_request.head, repo: head },
      base: { ...sample.githubPull.pull_request.base, repo: base },
    },
  });
  const isFork = (payload: unknown) => trigger('github', pull, payload).pullRequest?.fork;
  t.false(isFork(withHead({ id: 7, full_name: 'renamed/since' })));
  t.true(isFork(withHead({ id: 8, full_name: 'shop/orders' })), 'the same name in another repository');
  t.true(isFork(withHead(null)), 'the fork was deleted');
  t.true(isFork(withHead({ id: 0 })));
  t.true(isFork(withHead({ id: 7 }, { id: 8 })), 'its base is another repository than the one that was called');
  t.true(isFork(withHead({ id: 7 }, null)));
  const moved = { ...sample.gitlabMerge.object_attributes, source_project_id: 8 };
  t.true(trigger('gitlab', merge, { ...sample.gitlabMerge, object_attributes: moved }).pullRequest?.fork);
  const gone = {
    ...sample.cloudPull.pullrequest,
    source: { ...sample.cloudPull.pullrequest.source, repository: null },
  };
  const cloud = trigger(
    'bitbucket',
    { 'x-event-key': 'pullrequest:created' },
    { ...sample.cloudPull, pullrequest: gone },
  );
  t.like(cloud.pullRequest, { fork: true, headRepositoryId: '' });
});

test('a pull request from within is one of an outsider when the forge says so, or names nobody', (t) => {
  const isOutsider = (association: unknown, sender: unknown = sample.githubPull.sender) => {
    const within = { ...sample.githubPull.pull_request, author_association: association };
    return trigger('github', pull, { ...sample.githubPull, pull_request: within, sender }).pullRequest?.outsider;
  };
  for (const writer of ['OWNER', 'MEMBER', 'COLLABORATOR', null]) t.is(isOutsider(writer), undefined, String(writer));
  for (const other of ['CONTRIBUTOR', 'FIRST_TIMER', 'FIRST_TIME_CONTRIBUTOR', 'MANNEQUIN', 'NONE', 'owner'])
    t.true(isOutsider(other), other);
  t.true(isOutsider('OWNER', null));
  t.true(isOutsider('OWNER', { id: -1, login: 'Ghost' }));
  const nobody = trigger('gitlab', merge, { ...sample.gitlabMerge, user: {} });
  t.like(nobody.pullRequest, { fork: false, outsider: true });
  t.is(trigger('gitlab', merge, sample.gitlabMerge).pullRequest?.outsider, undefined);
});

test('the sender is who the forge authenticated, and nobody when it names nobody', (t) => {
  const commits = [{ ...sample.githubPush.commits[0], author: { username: 'root' } }];
  const forged = { ...sample.githubPush, commits, pusher: { name: 'root' } };
  t.deepEqual(trigger('github', events.github, forged).sender, { id: '11', name: 'ada' });
  for (const nobody of [null, {}, { id: -1, login: 'Ghost' }, { id: 0, login: '' }])
    t.is(trigger('gitea', events.gitea, { ...sample.githubPush, sender: nobody }).sender.id, '');
});

test('pull requests whose code did not change start nothing', (t) => {
  for (const action of ['closed', 'edited', 'labeled', 'assigned', 'review_requested'])
    t.regex(reason('github', pull, { ...sample.githubPull, action }), /does not change its code/);
  const empty = { ...sample.githubPull, pull_request: { ...sample.githubPull.pull_request, commits: 0 } };
  t.is(reason('github', pull, empty), 'The pull request has no commits.');
  const retitled = { ...sample.gitlabMerge.object_attributes, oldrev: undefined };
  t.regex(reason('gitlab', merge, { ...sample.gitlabMerge, object_attributes: retitled }), /does not change its code/);
});

test('the end of a branch or of a pull request is told, whoever tells it', (t) => {
  const ends = (forge: ForgeName, headers: Headers, payload: unknown) => {
    const delivery = read(forge, headers, payload);
    return delivery.kind === 'ignored' ? delivery.ends : delivery.kind;
  };
  const closed = { ...sample.githubPull, action: 'closed' };
  t.deepEqual(ends('github', pull, closed), { pullRequest: 5 });
  t.deepEqual(ends('gitea', { 'x-gitea-event': 'pull_request' }, closed), { pullRequest: 5 });
  for (const action of ['close', 'merge']) {
    const payload = { ...sample.gitlabMerge, object_attributes: { ...sample.gitlabMerge.object_attributes, action } };
    t.deepEqual(ends('gitlab', merge, payload), { pullRequest: 5 }, action);
  }
  for (const event of ['pullrequest:fulfilled', 'pullrequest:rejected'])
    t.deepEqual(ends('bitbucket', { 'x-event-key': event }, sample.cloudPull), { pullRequest: 5 }, event);
  for (const event of ['pr:merged', 'pr:declined', 'pr:deleted'])
    t.deepEqual(ends('bitbucket', { 'x-event-key': event }, { pullRequest: { id: 5 } }), { pullRequest: 5 }, event);
  t.deepEqual(ends('github', events.github, { ...sample.githubPush, after: nothing }), {});
  t.deepEqual(ends('github', { 'x-github-event': 'delete' }, {}), {});
  t.is(ends('github', pull, { ...sample.githubPull, action: 'edited' }), undefined);
});

test('pings and events about other things start nothing', (t) => {
  t.is(reason('github', { 'x-github-event': 'ping' }, { zen: '' }), '"ping" is not about a change of code.');
  t.regex(reason('bitbucket', { 'x-event-key': 'diagnostics:ping' }, { test: true }), /not about a change of code/);
  t.regex(reason('bitbucket', { 'x-event-key': 'pullrequest:comment_created' }, {}), /does not change its code/);
  t.regex(reason('gitlab', { 'x-gitlab-event': 'Note Hook' }, {}), /not about a change of code/);
  t.regex(reason('github', { 'x-github-event': 'create' }, {}), /^The push that comes with it/);
});

test('GitLab: a hook of the whole instance says in the body what it is about', (t) => {
  t.is(trigger('gitlab', { 'x-gitlab-event': 'System Hook' }, sample.gitlabPush).commit, commit);
  t.is(trigger('gitlab', { 'x-gitlab-event': 'System Hook' }, sample.gitlabMerge).pullRequest?.number, 5);
});

test('changed paths are known only when every commit is listed and none was taken away', (t) => {
  const paths = (payload: unknown, forge: ForgeName = 'github') =>
    trigger(forge, { ...events.github, ...events.gitea }, payload).changedPaths;
  const [listed] = sample.githubPush.commits;
  t.deepEqual(paths(sample.githubPush), ['a.ts', 'b.ts', 'c.ts']);
  t.deepEqual(paths({ ...sample.githubPush, commits: [listed, listed] }), ['a.ts', 'b.ts', 'c.ts']);
  t.is(paths({ ...sample.githubPush, forced: true }), undefined);
  t.is(paths({ ...sample.githubPush, created: true }), undefined);
  t.is(paths({ ...sample.githubPush, commits: [] }), undefined);
  t.is(paths({ ...sample.githubPush, commits: Array.from({ length: 20 }, () => listed) }), undefined);
  t.is(
    paths({ ...sample.githubPush, commits: [{ ...listed, added: Array.from({ length: 3000 }, (_, at) => `${at}`) }] }),
    undefined,
  );
  t.is(paths({ ...sample.githubPush, forced: undefined, created: undefined }, 'gitea'), undefined);
});

test('a repeated delivery keeps its id; without one the bytes are the id', (t) => {
  const id = (forge: ForgeName, headers: Headers, payload: unknown = {}) => read(forge, headers, payload).deliveryId;
  t.is(id('github', { 'x-github-delivery': 'd-1' }), 'd-1');
  t.is(id('gitlab', { 'idempotency-key': 'd-1', 'x-gitlab-event-uuid': 'shared by several hooks' }), 'd-1');
  t.is(id('gitea', { 'x-gitea-delivery': 'd-1' }), 'd-1');
  t.is(id('bitbucket', { 'x-request-uuid': 'd-1' }), 'd-1');
  t.is(id('github', {}, { a: 1 }), id('github', {}, { a: 1 }));
  t.not(id('github', {}, { a: 1 }), id('github', {}, { a: 2 }));
  for (const odd of ['', ' x', 'a\nb', 'x'.repeat(300)])
    t.regex(id('github', { 'x-github-delivery': odd }), /^sha256:/);
});

test('what is no payload says so, with the next step where there is one', (t) => {
  const raw = (text: string, headers: Headers = events.github) => {
    const delivery = forges.github.read(headers, Buffer.from(text));
    return delivery.kind === 'malformed' ? delivery.message : JSON.stringify(delivery);
  };
  t.is(raw('{'), 'The body is not JSON.');
  t.is(raw(''), 'The body is not JSON.');
  for (const text of ['null', '1', '[]', '"x"']) t.regex(raw(text), /must be/, text);
  t.is(raw('{}', {}), 'The header x-github-event is missing.');
  t.regex(
    raw('payload=%7B', { ...events.github, 'content-type': 'application/x-www-form-urlencoded' }),
    /content type to application\/json/,
  );
  t.is(
    complaint('github', events.github, { ...sample.githubPush, repository: { id: '7' } }),
    'payload.repository.id must be a positive number.',
  );
});

test('addresses with credentials, or of other schemes, are refused', (t) => {
  for (const url of [
    'javascript:alert(1)',
    'file:///etc/passwd',
    'https://u:p@forge.example/x',
    'ssh://x/y',
    '-x',
    'https://',
  ]) {
    const repository = { ...sample.githubPush.repository, clone_url: url };
    t.regex(complaint('github', events.github, { ...sample.githubPush, repository }), /clone_url must be an http/, url);
  }
});

test('titles are one line without control characters', (t) => {
  const titled = (message: string) =>
    trigger('github', events.github, { ...sample.githubPush, head_commit: { id: commit, message } }).title;
  t.is(titled('\n  Add\tx \u001b[31m\r\nmore'), 'Add x  [31m');
  t.is(titled('x'.repeat(100_000)).length, 200);
});

test('a trigger gives a run what conditions may know', (t) => {
  const event = toTriggerEvent(trigger('github', pull, sample.githubPull));
  t.deepEqual(event, {
    event: 'pull_request',
    ref: 'refs/pull/5/head',
    branch: 'count',
    tag: '',
    commit,
    actor: 'ada',
    pullRequest: { number: 5, base: 'main', fork: false },
  });
  t.deepEqual(toTriggerEvent(trigger('github', events.github, sample.githubPush)).changedPaths, [
    'a.ts',
    'b.ts',
    'c.ts',
  ]);
});
