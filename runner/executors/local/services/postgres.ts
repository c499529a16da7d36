import { join } from 'node:path';
import { firstWords, isReadyAnswer } from '../../../agent/service-words.ts';
import type { PlanService } from '../../../model/plan.ts';
import { majorOf, parseImage } from '../../image-name.ts';
import { accountOf, postgresUrl } from '../../postgres-account.ts';
import { makeData, serverOptions } from './postgres-data.ts';
import { postgresPrograms } from './postgres-programs.ts';
import type { ServiceKind, ServicePlan, ServiceSite } from './service-kind.ts';
import { speak } from './speak.ts';

/** PostgreSQL on a throw-away data folder, with the variables of the official image. */
export const postgres: ServiceKind = { images: ['postgres'], prepare };

async function prepare(service: PlanService, site: ServiceSite): Promise<ServicePlan> {
  const asked = majorOf(parseImage(service.image).tag);
  const programs = await postgresPrograms(asked, site);
  const { folder, version } = programs;
  const account = accountOf(service.env);
  const data = join(site.folder, 'data');
  await makeData(programs, data, account, site);
  const program = join(folder, 'postgres');
  const differs = asked !== undefined && asked !== majorOf(version) ? `, not the ${service.image} asked for` : '';
  return {
    note: `${program} ${version}${differs}`,
    argv: (port) => [program, '-D', data, '-p', String(port), ...serverOptions],
    address: (port) => ({ host: '127.0.0.1', port, url: postgresUrl(account, port) }),
    answers: async (port) => {
      const check = { name: service.name, port, protocol: 'postgres', ...account } as const;
      return isReadyAnswer(check, await speak(port, firstWords(check)));
    },
    clientEnv: (port) => ({
      PATH: `${folder}:${site.env['PATH'] ?? ''}`,
      PGHOST: '127.0.0.1',
      PGPORT: String(port),
      PGUSER: account.user,
      PGDATABASE: account.database,
      ...(account.password === undefined ? {} : { PGPASSWORD: account.password }),
    }),
    // "Fast" shutdown: does not wait for clients.
    stopSignal: 'SIGINT',
  };
}
