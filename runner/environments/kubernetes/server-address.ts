/** What an app is given of the address. Others might name another account or place, or a file that no pod has. */
const parameters = ['sslmode', 'channel_binding', 'connect_timeout', 'target_session_attrs', 'options'];

/** Those that mean the same to every driver. */
const sslModes = ['disable', 'require', 'verify-full'];

/** The address of a PostgreSQL server with the account that makes roles and databases there, or what is wrong with it: the end of a sentence that tells no secret. */
export function readServerAddress(text: string): URL | { readonly fault: string } {
  if (text.trim() === '') return { fault: 'is missing' };
  const url = URL.parse(text.trim());
  if (url === null || !isWhole(url)) return { fault: 'is no address of PostgreSQL with user and password' };
  const fault = faultOf(url);
  return fault === undefined ? url : { fault };
}

function isWhole({ protocol, hostname, username, password }: URL): boolean {
  return /^postgres(ql)?:$/.test(protocol) && hostname !== '' && isReadable(username) && isReadable(password);
}

/** A `%` that stands for itself is written `%25`; PostgreSQL knows no NUL. */
function isReadable(encoded: string): boolean {
  try {
    return encoded !== '' && !decodeURIComponent(encoded).includes('\0');
  } catch {
    return false;
  }
}

function faultOf({ pathname, searchParams }: URL): string | undefined {
  if (!['', '/', '/postgres'].includes(pathname)) {
    return `names the database ${pathname.slice(1)}: Sluice makes its own there, so an address ends after the port`;
  }
  const unknown = [...searchParams.keys()].find((name) => !parameters.includes(name));
  if (unknown !== undefined) return `has the parameter ${unknown}: it may have ${parameters.join(', ')}`;
  const mode = searchParams.get('sslmode') ?? 'disable';
  return sslModes.includes(mode) ? undefined : `has sslmode=${mode}: it may be ${sslModes.join(', ')}`;
}
