import type { Readable } from 'node:stream';
import { writeTar } from '../../workspace/write-tar.ts';

/** A tar of text files by path. */
export function textTar(files: Readonly<Record<string, string>>): Readable {
  return writeTar(
    Object.entries(files).map(([path, text]) => {
      const content = Buffer.from(text);
      return { path, kind: 'file', executable: false, bytes: content.length, content: [content] };
    }),
  );
}
