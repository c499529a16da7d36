import { nameOf } from './schema.ts';
import type { Schema } from './schema.ts';

/** What can be written instead of a text that does not have the form that its definition asks for. */
export function fixText(text: string, schema: Schema): readonly string[] {
  const pattern = new RegExp(schema.pattern ?? '^', 'u');
  return [fixes[nameOf(schema)]?.(text) ?? []].flat().filter((fixed) => pattern.test(fixed));
}

const fixes: Readonly<Record<string, (text: string) => string | readonly string[]>> = {
  name: (text) =>
    text
      .replace(/([a-z0-9])(?=[A-Z])/g, '$1-')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 63),
  variable: (text) =>
    text
      .replace(/^\W+/, '')
      .replace(/\W+/g, '_')
      .replace(/^(?=\d)/, '_'),
  duration: (text) => {
    const [, number = '', unit = ''] = /^(\d+) *([a-z]*)$/i.exec(text) ?? [];
    return unit === '' ? [`${number}s`, `${number}m`] : `${number}${unit.charAt(0).toLowerCase()}`;
  },
  quantity: (text) =>
    text
      .replaceAll(' ', '')
      .replace(/([KMGT]i?)B$/i, '$1')
      .replace(/^(.*\d)K$/, '$1k'),
};
