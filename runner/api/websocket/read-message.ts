import { Ajv2020 } from 'ajv/dist/2020.js';
import type { AnySchema, ValidateFunction } from 'ajv';
import { ApiError, invalid } from '../problem.ts';
import { clientMessages } from './messages.ts';
import type { ClientMessage } from './messages.ts';

const ajv = new Ajv2020({ useDefaults: true, strict: false });
const validators = new Map<unknown, ValidateFunction>(
  Object.entries(clientMessages).map(([type, schema]) => [type, ajv.compile(schema as AnySchema)]),
);

/** A frame to its message. Throws an ApiError that says what is wrong with it. */
export function readMessage(frame: string): ClientMessage {
  const value = parse(frame);
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
  const validate = validators.get(type);
  if (!validate) throw malformed(`A message needs a \`type\`, one of: ${Object.keys(clientMessages).join(', ')}.`);
  if (!validate(value)) throw invalid('message', validate.errors ?? []);
  return value as ClientMessage;
}

/** The id of a message that is otherwise wrong, so that its sender learns which one it was. */
export function idOf(frame: string): string | undefined {
  try {
    const value = parse(frame);
    const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
    return typeof id === 'string' && id.length > 0 && id.length <= 200 ? id : undefined;
  } catch {
    return undefined;
  }
}

function parse(frame: string): unknown {
  try {
    return JSON.parse(frame);
  } catch {
    throw malformed('A message is one JSON object in a text frame.');
  }
}

function malformed(detail: string): ApiError {
  return new ApiError({ status: 400, code: 'malformed', detail, next: 'docs/websocket.md has an example of each.' });
}
