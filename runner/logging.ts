import winston from 'winston';
import type { Logger } from './model/logger.ts';

const levels = ['error', 'warn', 'info', 'debug'] as const;

/** The Logger of this process: one JSON document per line on standard error, for programs that collect logs. */
export function createLogger(lowest: (typeof levels)[number]): Logger {
  const { combine, timestamp, json } = winston.format;
  const logger = winston.createLogger({
    level: lowest,
    format: combine(timestamp(), json({ replacer: showErrors })),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- the package types its classes as interfaces
    transports: new winston.transports.Console({ stderrLevels: [...levels] }),
  });
  const write = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    logger.log({ ...fields, level, message });
  };
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
}

/** The text of an error is in properties that JSON does not list. */
function showErrors(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return Object.fromEntries(Object.getOwnPropertyNames(value).map((name) => [name, Reflect.get(value, name)]));
}
