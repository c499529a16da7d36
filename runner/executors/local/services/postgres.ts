import { join } from 'node:path';
import type { PlanService } from '../../../model/plan.ts';
import { makeData, serverOptions } from './postgres-data.ts';
import type { PostgresAccount } from './postgres-data.ts';
import { postgresPrograms } from './postgres-programs.ts';
import { majorOf, parseImage } from './service-kind.ts';
import type { ServiceKind, ServicePlan, ServiceSite } from './service-kind.ts';
import { speak } from './speak.ts';

/** PostgreSQL on a throw-away data folder, with the variables of the official image. */
export const postgres: ServiceKind = { images: ['postgres'], prepare };

async function prepare(service: PlanService, site: ServiceSite): Promise<ServicePlan> {
  const asked = majorOf(parseImage(service.image).tag);
  const programs = await postgresPrograms(asked, site);
  const { folder, version } = programs;
  const account = accountOf(service);
  const data = join(site.folder, 'data');
  await makeData(programs, data, account, site);
  const program = join(folder, 'postgres');
  const differs = asked !== undefined && asked !== majorOf(version) ? `, not the ${service.image} asked for` : '';
  return {
    note: `${program} ${version}${differs}`,
    argv: (port) => [program, '-D', data, '-p', String(port), ...serverOptions],
    address: (port) => ({ host: '127.0.0.1', port, url: urlOf(account, port) }),
    answers: (port) => answers(account, port),
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

function accountOf({ env }: PlanService): PostgresAccount {
  const user = env['POSTGRES_USER'] ?? 'postgres';
  return {
    user,
    password: env['POSTGRES_PASSWORD'],
    database: env['POSTGRES_DB'] ?? user,
    options: env['POSTGRES_INITDB_ARGS']?.split(/\s+/).filter((option) => option !== '') ?? [],
  };
}

function urlOf({ user, password, database }: PostgresAccount, port: number): string {
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
  return `postgres://${encodeURIComponent(user)}${secret}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

/** A start-up message gets a request for authentication, or an error while the server is not ready yet (protocol 3.0). */
async function answers({ user, database }: PostgresAccount, port: number): Promise<boolean> {
  const parameters = Buffer.from(`user\0${user}\0database\0${database}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(head.length + parameters.length, 0);
  head.writeInt32BE(196_608, 4);
  const answer = await speak(port, Buffer.concat([head, parameters]));
  return answer.subarray(0, 1).toString() === 'R';
}
