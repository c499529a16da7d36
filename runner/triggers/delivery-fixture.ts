import { createHmac } from 'node:crypto';
import type { ForgeName, Headers } from './forge.ts';

export const secret = 'an open secret of tests';
export const commit = '0123456789abcdef0123456789abcdef01234567';
export const parent = 'fedcba9876543210fedcba9876543210fedcba98';
export const nothing = '0'.repeat(40);
const uuid = '{0b5fc1a4-94cc-4d5e-9a3f-1b8a4a0a1f10}';

/** A payload with the headers, but for the signature, that its forge sends with it. */
export interface Sample {
  readonly forge: ForgeName;
  readonly title: string;
  readonly headers: Headers;
  readonly payload: Readonly<Record<string, unknown>>;
}

const repository = {
  id: 7,
  full_name: 'shop/orders',
  clone_url: 'https://forge.example/shop/orders.git',
  html_url: 'https://forge.example/shop/orders',
};
const sender = { id: 11, login: 'ada' };
const files = { added: ['a.ts'], removed: ['b.ts'], modified: ['c.ts'] };

export const githubPush = {
  ref: 'refs/heads/main',
  before: parent,
  after: commit,
  forced: false,
  created: false,
  deleted: false,
  head_commit: { id: commit, message: 'Count orders once\n\nwhy' },
  commits: [{ id: commit, ...files }],
  repository,
  sender,
};

export const githubPull = {
  action: 'opened',
  number: 5,
  pull_request: {
    title: 'Count orders once',
    commits: 1,
    head: { ref: 'count', sha: commit, repo: { id: 7 } },
    base: { ref: 'main', sha: parent, repo: { id: 7 } },
  },
  repository,
  sender,
};

const project = {
  id: 7,
  path_with_namespace: 'shop/orders',
  git_http_url: 'https://forge.example/shop/orders.git',
  web_url: 'https://forge.example/shop/orders',
};

export const gitlabPush = {
  object_kind: 'push',
  ref: 'refs/heads/main',
  before: parent,
  after: commit,
  checkout_sha: commit,
  user_id: 11,
  user_username: 'ada',
  project,
  commits: [{ id: commit, message: 'Count orders once\n' }],
};

export const gitlabMerge = {
  object_kind: 'merge_request',
  user: { id: 11, username: 'ada' },
  project,
  object_attributes: {
    action: 'update',
    oldrev: parent,
    iid: 5,
    title: 'Count orders once',
    source_branch: 'count',
    target_branch: 'main',
    source_project_id: 7,
    target_project_id: 7,
    last_commit: { id: commit },
  },
};

const cloudRepository = {
  uuid,
  full_name: 'shop/orders',
  links: { html: { href: 'https://forge.example/shop/orders' } },
};
const actor = { uuid: '{11111111-94cc-4d5e-9a3f-1b8a4a0a1f10}', nickname: 'ada' };

export const cloudPush = {
  push: {
    changes: [
      {
        old: { type: 'branch', name: 'main', target: { hash: parent } },
        new: { type: 'branch', name: 'main', target: { hash: commit, message: 'Count orders once\n' } },
      },
    ],
  },
  repository: cloudRepository,
  actor,
};

export const cloudPull = {
  pullrequest: {
    id: 5,
    title: 'Count orders once',
    source: { branch: { name: 'count' }, commit: { hash: commit.slice(0, 12) }, repository: { uuid } },
    destination: { branch: { name: 'main' }, commit: { hash: parent.slice(0, 12) }, repository: { uuid } },
  },
  repository: cloudRepository,
  actor,
};

const serverRepository = { id: 7, slug: 'orders', project: { key: 'SHOP' } };

export const serverPush = {
  actor: { id: 11, name: 'ada' },
  repository: serverRepository,
  changes: [{ type: 'UPDATE', ref: { id: 'refs/heads/main' }, fromHash: parent, toHash: commit }],
};

const serverPull = {
  actor: { id: 11, name: 'ada' },
  pullRequest: {
    id: 5,
    title: 'Count orders once',
    fromRef: { displayId: 'count', latestCommit: commit, repository: serverRepository },
    toRef: { displayId: 'main', latestCommit: parent, repository: serverRepository },
  },
};

export const samples: readonly Sample[] = [
  { forge: 'github', title: 'push', headers: { 'x-github-event': 'push' }, payload: githubPush },
  { forge: 'github', title: 'pull request', headers: { 'x-github-event': 'pull_request' }, payload: githubPull },
  { forge: 'gitea', title: 'push', headers: { 'x-gitea-event': 'push' }, payload: githubPush },
  { forge: 'gitea', title: 'pull request', headers: { 'x-gitea-event': 'pull_request' }, payload: githubPull },
  { forge: 'gitlab', title: 'push', headers: { 'x-gitlab-event': 'Push Hook' }, payload: gitlabPush },
  { forge: 'gitlab', title: 'merge', headers: { 'x-gitlab-event': 'Merge Request Hook' }, payload: gitlabMerge },
  { forge: 'bitbucket', title: 'cloud push', headers: { 'x-event-key': 'repo:push' }, payload: cloudPush },
  { forge: 'bitbucket', title: 'cloud pull', headers: { 'x-event-key': 'pullrequest:updated' }, payload: cloudPull },
  { forge: 'bitbucket', title: 'server push', headers: { 'x-event-key': 'repo:refs_changed' }, payload: serverPush },
  { forge: 'bitbucket', title: 'server pull', headers: { 'x-event-key': 'pr:opened' }, payload: serverPull },
];

export function bodyOf(payload: unknown): Buffer {
  return Buffer.from(JSON.stringify(payload));
}

export function hmac(key: string | Buffer, content: string | Buffer, encoding: 'hex' | 'base64' = 'hex'): string {
  return createHmac('sha256', key).update(content).digest(encoding);
}
