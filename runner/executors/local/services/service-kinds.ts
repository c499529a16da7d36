import type { PlanService, RunStep } from '../../../model/plan.ts';
import { parseImage } from '../../image-name.ts';
import { postgres } from './postgres.ts';
import { redis } from './redis.ts';
import type { ServiceKind } from './service-kind.ts';

const kinds: readonly ServiceKind[] = [postgres, redis];

export function kindOf(service: PlanService): ServiceKind | undefined {
  return kinds.find((kind) => kind.images.includes(parseImage(service.image).name));
}

/** A sentence on the first service of a step that there is no kind for. */
export function unknownService(step: RunStep): string | undefined {
  const unknown = step.services.find((service) => kindOf(service) === undefined);
  if (unknown === undefined) return undefined;
  const known = kinds.flatMap((kind) => kind.images).join(', ');
  return `service "${unknown.name}": the local executor cannot run ${unknown.image}; it knows ${known}`;
}
