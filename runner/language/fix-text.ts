import { nameOf } from './schema.ts';
import type { Schema } from './schema.ts';

/** What to write instead of a text that does not have the form that its definition asks for. */
export function fixText(text: string, schema: Schema): string | undefined {
  const fixed = fixes[nameOf(schema)]?.(text);
  const pattern = schema.pattern;
  return fixed !== undefined && pattern !== undefined && new RegExp(pattern, 'u').test(fixed) ? fixed : undefined;
}

const fixes: Readonly<Record<string, (text: string) => string | undefined>> = {
  name: (text) =>
    text
      .replace(/([a-z0-9])(?=[A-Z])/g, '$1-')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 63),
  variable: (text) => text.replace(/\W+/g, '_').replace(/^(?=\d)/, '_'),
  duration: (text) => {
    const [, number = '', unit = ''] = /^(\d+) *([a-z]*)$/i.exec(text.trim()) ?? [];
    const short = /^m(in|inutes?|ins)?$/i.test(unit) ? 'm' : unit.slice(0, 1).toLowerCase();
    return number === '' ? undefined : `${number}${short === '' ? 's' : short}`;
  },
  quantity: (text) =>
    text
      .replaceAll(' ', '')
      .replace(/([KMGT]i?)B$/i, '$1')
      .replace(/^(.*\d)K$/, '$1k'),
};
