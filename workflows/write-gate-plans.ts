import { writeFileSync } from 'node:fs';
import { gatePlans } from './gate-plans.ts';

writeFileSync(new URL('gate-plans.json', import.meta.url), `${JSON.stringify(gatePlans(), null, 2)}\n`);
