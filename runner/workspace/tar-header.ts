/** A member of a tar to be written. */
export type TarEntry = { readonly path: string } & (
  | {
      readonly kind: 'file';
      readonly executable: boolean;
      readonly bytes: number;
      /** Exactly `bytes` bytes; not read before the entry's turn. */
      readonly content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
    }
  | { readonly kind: 'folder' }
  | { readonly kind: 'symlink'; readonly target: string }
);

export const blockBytes = 512;

interface Fields {
  readonly name: string;
  readonly target: string;
  readonly bytes: number;
  readonly mode: number;
  readonly type: string;
}

const typeFlags = { file: '0', symlink: '2', folder: '5' } as const;
const maxText = 100;
const maxBytes = 0o77777777777;

/**
 * Header of a member as POSIX.1-2001 has it ("ustar", and "pax" records for what does not fit): owner 0, time 0, modes
 * 644 and 755, of links 777.
 */
export function tarHeader(entry: TarEntry): Uint8Array {
  const fields = fieldsOf(entry);
  const records = paxRecords(fields);
  if (records.length === 0) return ustarBlock(fields);
  const pax = ustarBlock({ ...fields, name: 'pax', target: '', bytes: records.length, type: 'x' });
  return Buffer.concat([pax, records, padding(records.length), ustarBlock(shortened(fields))]);
}

/** With a stand-in for each field that a pax record holds. */
function shortened(fields: Fields): Fields {
  const { name, target, bytes } = fields;
  return {
    ...fields,
    name: fits(name) ? name : 'pax',
    target: fits(target) ? target : 'pax',
    bytes: Math.min(bytes, maxBytes),
  };
}

function fits(text: string): boolean {
  return Buffer.byteLength(text) <= maxText;
}

/** Zeros from the end of a content to the next block. */
export function padding(bytes: number): Uint8Array {
  return new Uint8Array((blockBytes - (bytes % blockBytes)) % blockBytes);
}

function fieldsOf(entry: TarEntry): Fields {
  return {
    name: entry.kind === 'folder' ? `${entry.path}/` : entry.path,
    target: entry.kind === 'symlink' ? entry.target : '',
    bytes: entry.kind === 'file' ? entry.bytes : 0,
    mode: modeOf(entry),
    type: typeFlags[entry.kind],
  };
}

function modeOf(entry: TarEntry): number {
  if (entry.kind === 'symlink') return 0o777;
  return entry.kind === 'file' && !entry.executable ? 0o644 : 0o755;
}

function paxRecords({ name, target, bytes }: Fields): Uint8Array {
  const records: string[] = [];
  if (!fits(name)) records.push(paxRecord('path', name));
  if (!fits(target)) records.push(paxRecord('linkpath', target));
  if (bytes > maxBytes) records.push(paxRecord('size', String(bytes)));
  return Buffer.from(records.join(''));
}

/** "LENGTH key=value\n", where the length counts its own digits too. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function ustarBlock({ name, target, bytes, mode, type }: Fields): Uint8Array {
  const block = Buffer.alloc(blockBytes);
  block.write(name, 0);
  block.write(`${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(bytes, 11)}\0${octal(0, 11)}\0`, 100);
  block.write(`        ${type}${target}`, 148);
  block.write('ustar\x0000', 257);
  block.write(`${octal(0, 7)}\0${octal(0, 7)}\0`, 329);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
