import { SluiceError } from '../../../model/errors.ts';
import { firstWords, isReadyAnswer } from '../../../agent/service-words.ts';
import type { PlanService } from '../../../model/plan.ts';
import { majorOf, parseImage } from '../../image-name.ts';
import { findProgram } from '../find-program.ts';
import { programVersion } from '../program-version.ts';
import type { ServiceKind, ServicePlan, ServiceSite } from './service-kind.ts';
import { speak } from './speak.ts';

/** Redis and Valkey speak the same protocol; a program of the name asked for is preferred. */
export const redis: ServiceKind = { images: ['redis', 'valkey'], prepare };

async function prepare({ image }: PlanService, site: ServiceSite): Promise<ServicePlan> {
  const { name, tag } = parseImage(image);
  const names = name === 'valkey' ? ['valkey-server', 'redis-server'] : ['redis-server', 'valkey-server'];
  const program = names
    .map((candidate) => findProgram(candidate, site.env['PATH'] ?? ''))
    .find((path) => path !== undefined);
  if (program === undefined) {
    throw new SluiceError(
      'ERR_SERVICE',
      `${image} needs a local server: install redis-server or valkey-server ("apt-get install redis-server", "brew install redis")`,
    );
  }
  const version = await programVersion(program, site.env);
  const asked = majorOf(tag);
  const differs = asked !== undefined && asked !== majorOf(version) ? `, not the ${image} asked for` : '';
  return {
    note: `${program} ${version}${differs}`,
    argv: (port) => [
      program,
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      site.folder,
    ],
    address: (port) => ({ host: '127.0.0.1', port, url: `redis://127.0.0.1:${port}` }),
    answers: async (port) => {
      const check = { name, port, protocol: 'redis' } as const;
      return isReadyAnswer(check, await speak(port, firstWords(check)));
    },
    stopSignal: 'SIGTERM',
  };
}
