import test from 'ava';
import type { TriggerEvent } from '../model/run-request.ts';
import { push } from './compile-fixture.ts';
import { matchesPattern } from './match-pattern.ts';
import { matchTriggers } from './match-triggers.ts';
import type { Triggers } from './pipeline-file.generated.ts';

const branch = (name: string): TriggerEvent => ({ ...push, branch: name, ref: `refs/heads/${name}` });
const tag = (name: string): TriggerEvent => ({ ...push, branch: '', tag: name, ref: `refs/tags/${name}` });
const paths = (...changedPaths: string[]): TriggerEvent => ({ ...push, changedPaths });
const pull = (base: string): TriggerEvent => ({
  ...push,
  event: 'pull_request',
  branch: 'feature',
  pullRequest: { number: 7, base, fork: false },
});

const patterns: readonly (readonly [pattern: string, name: string, fits: boolean])[] = [
  ['main', 'main', true],
  ['main', 'main2', false],
  ['main', 'xmain', false],
  ['main', 'feature/main', false],
  ['main', 'Main', false],
  ['release/*', 'release/1.2', true],
  ['release/*', 'release/1/2', false],
  ['release/*', 'release/', true],
  ['release/*', 'release', false],
  ['release/*', 'prerelease/1', false],
  ['release/**', 'release/1/2', true],
  ['*', 'main', true],
  ['*', 'a/b', false],
  ['**', 'a/b', true],
  ['v*.*', 'v1.2', true],
  ['v*.*', 'v12', false],
  ['**/*.md', 'README.md', true],
  ['**/*.md', 'docs/a/b.md', true],
  ['**/*.md', 'docs/md', false],
  ['docs/**/x', 'docs/x', true],
  ['docs/**/x', 'docs/a/b/x', true],
  ['docs/**/x', 'docs/ax', false],
  ['release**/x', 'releasex', false],
  ['a.b', 'axb', false],
  ['a?b', 'axb', false],
  ['[ab]', 'a', false],
  ['', '', true],
];

for (const [pattern, name, fits] of patterns) {
  test(`the pattern "${pattern}" ${fits ? 'fits' : 'does not fit'} "${name}"`, (t) => {
    t.is(matchesPattern(pattern, name), fits);
  });
}

test('a hostile pattern and name are compared in no time', (t) => {
  t.false(matchesPattern('**a'.repeat(60), `${'a'.repeat(4_000)}b`));
});

const table: readonly (readonly [title: string, on: Triggers | undefined, event: TriggerEvent, matches: boolean])[] = [
  ['without triggers, a push does not start a run', undefined, branch('main'), false],
  ['without triggers, a person does', undefined, { ...push, event: 'manual' }, true],
  ['a person starts a run of a file with any triggers', { push: null }, { ...push, event: 'manual' }, true],
  ['`push:` alone takes every branch', { push: null }, branch('x/y'), true],
  ['`push:` alone takes every tag', { push: {} }, tag('v1'), true],
  ['a branch filter takes its branch', { push: { branches: ['main'] } }, branch('main'), true],
  ['a branch filter leaves look-alikes out', { push: { branches: ['main'] } }, branch('main-2'), false],
  ['a branch filter leaves tags out, even of the same name', { push: { branches: ['main'] } }, tag('main'), false],
  ['a tag filter leaves branches out, even of the same name', { push: { tags: ['v1'] } }, branch('v1'), false],
  ['both filters take either', { push: { branches: ['main'], tags: ['v*'] } }, tag('v1'), true],
  ['a later `!` takes out', { push: { branches: ['**', '!wip/**'] } }, branch('wip/a'), false],
  ['an entry behind it lets in again', { push: { branches: ['**', '!wip/**', 'wip/demo'] } }, branch('wip/demo'), true],
  ['the last entry that fits decides', { push: { branches: ['!main', '**'] } }, branch('main'), true],
  ['a path filter takes one changed path that fits', { push: { paths: ['src/**'] } }, paths('a.md', 'src/a.ts'), true],
  ['a path filter refuses changes elsewhere', { push: { paths: ['src/**'] } }, paths('srcs/a.ts'), false],
  ['paths can be taken out', { push: { paths: ['**', '!docs/**'] } }, paths('docs/a.md'), false],
  ['a path filter takes everything where paths are not known', { push: { paths: ['src/**'] } }, branch('main'), true],
  ['branch and path must both fit', { push: { branches: ['dev'], paths: ['**'] } }, paths('a'), false],
  ['a pull request needs its own trigger', { push: null }, pull('main'), false],
  ['a pull request is compared by its target', { pull_request: { branches: ['main'] } }, pull('main'), true],
  ['and not by its own branch', { pull_request: { branches: ['feature'] } }, pull('main'), false],
  ['a schedule needs a schedule', { push: null }, { ...push, event: 'schedule' }, false],
  ['a schedule starts a run', { schedule: [{ cron: '0 3 * * *' }] }, { ...push, event: 'schedule' }, true],
];

for (const [title, on, event, matches] of table) {
  test(title, (t) => {
    const match = matchTriggers(on, event);
    t.is(match.matches, matches);
    if (!match.matches) t.regex(match.why, /\.$/);
  });
}
