import type { Config } from './config.ts';

const hidden = '[hidden]';

/** The configuration as people may see it: of secrets only that they are there. */
export function redactConfig(config: Config): Config {
  const { database, bucket, secrets } = config;
  return {
    ...withoutPasswords(config),
    database: database && { ...database, url: withoutPassword(database.url) },
    bucket: bucket && {
      url: withoutPasswords(bucket.url),
      accessKeyId: hidden,
      secretAccessKey: hidden,
      ...(bucket.sessionToken !== undefined && { sessionToken: hidden }),
    },
    secrets: Object.fromEntries(Object.keys(secrets).map((name) => [name, hidden])),
  };
}

/** Nobody asks for a password in these addresses; it is hidden all the same where somebody wrote one. */
function withoutPasswords<Value>(value: Value): Value {
  const text = JSON.stringify(value).replaceAll(/(:\/\/[^:@/?#\s"]*:)[^@\s"]+@/g, '$1hidden@');
  return JSON.parse(text) as Value;
}

/** Of an address that cannot be read nobody knows which part is the secret. */
function withoutPassword(address: string): string {
  const url = URL.parse(address);
  if (!url) return hidden;
  if (url.password !== '') url.password = 'hidden';
  if (url.searchParams.has('password')) url.searchParams.set('password', 'hidden');
  return url.href;
}
