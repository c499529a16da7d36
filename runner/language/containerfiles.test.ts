import test from 'ava';
import { compileText } from './compile-fixture.ts';

const pipeline = (service: string, name = 'shop'): string => `pipeline: demo
backend:
  name: ${name}
  services:
    api: ${service}
steps: { deploy-test: { operation: build-release } }
`;
const files = ['Containerfile', 'services/api/Dockerfile'].map((path) => ({ path, oid: 'a'.repeat(40) }));
const compiled = (text: string) => compileText(text, { files });

test('a service is built by its Containerfile, whose image may say what it runs; the step that builds needs somebody who can', (t) => {
  const plan = compiled(pipeline('{ containerfile: services/api/Dockerfile, port: 3000 }'));
  t.like(plan, {
    ok: true,
    value: {
      backend: { services: [{ name: 'api', containerfile: 'services/api/Dockerfile', port: 3000 }] },
      steps: [{ requires: ['environments', 'containerfiles'] }],
    },
  });
  t.false(plan.ok && 'start' in (plan.value.backend?.services[0] ?? {}));
  t.like(compiled(pipeline('{ start: node server.js }')), {
    ok: true,
    value: { steps: [{ requires: ['environments'] }] },
  });
});

test('what is wrong with a Containerfile is told at its path, with the next step', (t) => {
  const problems = (service: string, name?: string) => {
    const result = compiled(pipeline(service, name));
    return result.ok
      ? []
      : result.problems.map(({ line, column, code, message, hint }) => [line, column, code, message, hint]);
  };
  const code = 'containerfile-invalid';
  t.deepEqual(problems('{ containerfile: Contanerfile }'), [
    [5, 27, code, 'There is no `Contanerfile` in this commit.', 'Did you mean `Containerfile`?'],
  ]);
  t.like(problems('{ containerfile: ../Containerfile }'), [[5, 27, code, '`../Containerfile` leaves the workspace.']]);
  t.like(problems('{ containerfile: Containerfile, image: node-24 }'), [
    [5, 27, code, 'The service `api` has an `image` too.', 'Take one of the two out: `FROM` names the image below.'],
  ]);
  t.like(problems('{ containerfile: Containerfile }', 'a'.repeat(58)), [
    [5, 27, code, 'The name of the backend is too long for one with a Containerfile.'],
  ]);
  t.like(problems('{ port: 3000 }'), [[5, 5, 'missing-key', 'The service `api` lacks the key `start`.']]);
});

test('what a backend is made of is written as it stands: an expression in it is told at its place', (t) => {
  const wrong = (service: string, more = '') => {
    const text = pipeline(service).replace('steps:', `${more}steps:`);
    const result = compiled(text);
    return result.ok ? [] : result.problems.map(({ line, code }) => [line, code]);
  };
  const code = 'expression-out-of-place';
  for (const field of ['env: { COMMIT: "${{ commit }}" }', 'image: "node:${{ tag }}"'])
    t.deepEqual(wrong(`{ start: node server.js, ${field} }`), [[5, code]], field);
  t.deepEqual(wrong('{ start: "node ${{ branch }}" }'), [[5, code]]);
  const previews = '  previews: { branches: [feature/*], env: { BRANCH: "${{ branch }}" } }\n';
  t.deepEqual(wrong('{ start: node server.js }', previews), [[6, code]]);
  t.deepEqual(wrong('{ start: node server.js, env: { COST: "$${" } }'), []);
});
