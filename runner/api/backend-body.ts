import { Type } from 'typebox';
import pipelineSchema from '../../schemas/pipeline.schema.json' with { type: 'json' };
import type { BackendDescription } from '../language/compile-backend.ts';
import { name } from './schemas.ts';

export interface BackendBody extends Pick<BackendDescription, 'name' | 'services' | 'database'> {
  readonly repository: string;
  readonly protected: boolean;
}

const { backend } = pipelineSchema.$defs;

export const backendName = Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$', description: 'Its name.' });

/** Until it begins, protecting the backend calls it off. */
export const usualGraceSeconds = 600;

/** What is said of a deletion. */
export const deletionWish = {
  confirm: Type.String({ maxLength: 63, default: '', description: 'The name of the backend once more.' }),
  graceSeconds: Type.Integer({ minimum: 0, maximum: 2_592_000, default: usualGraceSeconds }),
};

/** `backend:` of a pipeline file with the repository that it belongs to: one schema describes both. */
export const backendBody = Type.Unsafe<BackendBody>({
  type: 'object',
  additionalProperties: false,
  required: ['name', 'repository'],
  properties: {
    name: inlined(backend.properties.name),
    repository: name,
    services: inlined(backend.properties.services),
    database: inlined(backend.properties.database),
    protected: {
      type: 'boolean',
      default: true,
      description: 'Whether it cannot be deleted before that is lifted. One that is there already keeps what it has.',
    },
  },
});

/** A part of the schema that stands for itself. Its definitions refer to none that refers back. */
function inlined(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(inlined);
  if (typeof part !== 'object' || part === null) return part;
  const { $ref, ...own } = part as { readonly $ref?: string };
  const target = $ref?.replace('#/$defs/', '');
  const definitions: Readonly<Record<string, unknown>> = pipelineSchema.$defs;
  const named = target === undefined ? {} : (inlined(definitions[target]) as object);
  return { ...named, ...Object.fromEntries(Object.entries(own).map(([key, value]) => [key, inlined(value)])) };
}
