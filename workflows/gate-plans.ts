import { writeFileSync } from 'node:fs';
import type { Plan } from '../runner/model/plan.ts';
import { planOf } from '../runner/language/compile-fixture.ts';

/** A pipeline that uses every gate with as few inputs as it takes. */
const everyGate = `
pipeline: gates
backend: { name: shop, services: { api: { start: node server.js, port: 3000 } }, database: { engine: postgres } }
steps:
  validate: { uses: validate, with: { run: npm run lint } }
  scan: { uses: validate, with: { scan: bandit -r app --exit-zero -f sarif -o scan.sarif, manifests: k8s/*.yaml } }
  migrate: { uses: migrate, with: { run: npm run migrate } }
  deploy-test: { uses: deploy-test }
  run-tests: { uses: run-tests, with: { run: "npm run test:api", junit: reports/api.xml } }
  promote: { uses: promote }
`;

/** The steps that the gates become, without what is the same for every step of a run. */
export function gatePlans(): readonly unknown[] {
  return planOf(everyGate).steps.map(withoutScope);
}

function withoutScope({ scope, ...step }: Plan['steps'][number]): unknown {
  return { ...step, inputs: scope['inputs'] };
}

if (import.meta.main) {
  writeFileSync(new URL('gate-plans.json', import.meta.url), `${JSON.stringify(gatePlans(), null, 2)}\n`);
}
