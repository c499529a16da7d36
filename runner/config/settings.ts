import type { Path } from '../language/positioned.ts';
import { configSchema, nameOf, resolve } from '../language/schema.ts';
import type { Schema } from '../language/schema.ts';

/** One thing that can be configured. The schema of the configuration file says which there are. */
export interface Setting {
  /** Where it stands in a configuration file. */
  readonly path: Path;
  /** The environment variable that says the same and wins. */
  readonly variable: string;
  /** Name of the form that its value has, or that the values of its map have; '' for one without a name. */
  readonly form: string;
}

export const settings: readonly Setting[] = settingsOf(configSchema, []);

function settingsOf({ properties = {} }: Schema, path: Path): readonly Setting[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const variable = schema['x-variable'];
    if (variable === undefined) return settingsOf(schema, [...path, key]);
    const inner = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : schema;
    return [{ path: [...path, key], variable, form: nameOf(resolve(inner, 'scalar')) }];
  });
}
