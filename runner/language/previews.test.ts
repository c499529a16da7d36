import test from 'ava';
import fc from 'fast-check';
import { compileText, planOf } from './compile-fixture.ts';
import { nameOfBranchPreview, nameOfPullRequestPreview } from './preview-name.ts';

const pipeline = (previews: string, services = 'api: { start: node server.js, env: { MAIL: smtp } }') => `
pipeline: demo
backend:
  name: shop
  services: { ${services} }
  previews: ${previews}
steps:
  deploy: { uses: deploy-test }
`;

const feature = { branch: 'feature/login', ref: 'refs/heads/feature/login' };
const pull = (fork = false) => ({
  event: 'pull_request' as const,
  ref: 'refs/pull/12/head',
  branch: 'feature/login',
  pullRequest: { number: 12, base: 'main', fork },
});
const rules =
  '{ branches: ["feature/**", "!feature/old"], pull_requests: true, ttl: 24h, max: 3, env: { MAIL: console } }';

test('R003-7, R003-26: a branch that the rules name has an environment of its own, and others go the way to production', (t) => {
  const { backend, concurrency } = planOf(pipeline(rules), { trigger: feature });
  const environment = nameOfBranchPreview('feature/login');
  t.deepEqual(backend?.preview, { environment, branch: 'feature/login', ttlMs: 86_400_000, max: 3 });
  t.deepEqual(concurrency, { group: `backend/shop/${environment}`, policy: 'queue' });
  for (const branch of ['main', 'feature/old', 'hotfix']) {
    const plan = planOf(pipeline(rules), { trigger: { branch, ref: `refs/heads/${branch}` } });
    t.is(plan.backend?.preview, undefined, branch);
    t.is(plan.concurrency?.group, 'backend/shop');
  }
  t.is(
    planOf(pipeline(rules), { trigger: { branch: '', tag: 'v1', ref: 'refs/tags/v1' } }).backend?.preview,
    undefined,
  );
});

test('a pull request has a preview of its own where that is asked for, else that of its branch, and none from a fork', (t) => {
  const own = planOf(pipeline(rules), { trigger: pull() }).backend?.preview;
  t.like(own, { environment: 'preview-pr-12', pullRequest: 12, branch: 'feature/login' });
  const shared = planOf(pipeline('{ branches: ["feature/**"] }'), { trigger: pull() }).backend?.preview;
  t.like(shared, { environment: nameOfBranchPreview('feature/login'), ttlMs: 72 * 3_600_000, max: 5 });
  t.false('pullRequest' in (shared ?? {}));
  t.is(planOf(pipeline(rules), { trigger: pull(true) }).backend?.preview, undefined);
});

test('R003-15: values for previews are nowhere in what is described for production', (t) => {
  const preview = planOf(pipeline(rules), { trigger: feature });
  t.deepEqual(preview.backend?.services[0]?.env, { MAIL: 'console' });
  const main = planOf(pipeline(rules));
  t.deepEqual(main.backend?.services[0]?.env, { MAIL: 'smtp' });
  t.notRegex(JSON.stringify(main), /console/);
});

test('rules that give nobody a preview, and names that are too long for one, are told with their places', (t) => {
  const long = `${'a'.repeat(23)}: { start: node server.js }`;
  const compiled = compileText(pipeline('{ ttl: 40d, env: { LD_PRELOAD: x } }', long));
  t.deepEqual(compiled.ok ? [] : compiled.problems.map(({ code, line }) => [code, line]), [
    ['previews-invalid', 5],
    ['previews-invalid', 6],
    ['duration-invalid', 6],
    ['variable-reserved', 6],
  ]);
  const pattern = compileText(pipeline('{ branches: ["!main"] }'));
  t.like(pattern, { ok: false, problems: [{ code: 'pattern-invalid', line: 6 }] });
  const many = compileText(pipeline('{ branches: [a], max: 21 }'));
  t.like(many, { ok: false, problems: [{ line: 6 }] });
  const taken = compileText(pipeline(rules, 'preview-api: { start: node server.js }'));
  t.like(taken, { ok: false, problems: [{ code: 'backend-service' }] });
});

test('names of branches that look alike are names of different previews, and no branch has that of a pull request', (t) => {
  const alike = [
    'feature/login',
    'feature-login',
    'Feature/Login',
    'feature/login/',
    'feature/login-form-one',
    'feature/login-form-two',
  ];
  t.is(new Set(alike.map(nameOfBranchPreview)).size, alike.length);
  t.regex(nameOfBranchPreview('feature/login'), /^preview-feature-login-[a-p]{7}$/);
  t.regex(nameOfBranchPreview('ветка'), /^preview-[a-p]{7}$/);
  t.not(nameOfBranchPreview('pr-12'), nameOfPullRequestPreview(12));
});

test('whatever a branch is called, its preview has a name that is fit for DNS and leaves room for a service', (t) => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (branch) => {
      const name = nameOfBranchPreview(branch);
      t.regex(name, /^preview-([a-z0-9][a-z0-9-]*-)?[a-p]{7}$/);
      t.true(name.length <= 32, name);
      t.notRegex(name, /^preview-pr-\d+$/);
    }),
  );
});
