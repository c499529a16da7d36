/** The `typeof` of a field; lists are objects. */
type Kind = 'string' | 'number' | 'boolean' | 'object';

type KindOf<Value> = Value extends string
  ? 'string'
  : Value extends number
    ? 'number'
    : Value extends boolean
      ? 'boolean'
      : 'object';

/** Every field of a type with its kind: the compiler keeps such a table equal to the type. */
export type Shape<Value> = { readonly [Field in keyof Value]-?: KindOf<Value[Field]> };

/** Whether a value read from the database holds all fields of the shape. */
export function fits<Value extends object>(value: unknown, shape: Shape<Value>): value is Value {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  for (const [name, kind] of Object.entries<Kind>(shape)) {
    if (typeof fields[name] !== kind || fields[name] === null) return false;
  }
  return true;
}
