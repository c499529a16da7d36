import type { EffectiveSetting, Origin } from '../../config/effective-settings.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { harmless } from '../terminal/text.ts';

export const defineConfig: Define = () => async (session) => {
  const settings = await session.settings();
  if (session.json) session.printJson({ settings });
  else session.print(lines(settings).join('\n'));
  return exitCodes.succeeded;
};

function lines(settings: readonly EffectiveSetting[]): readonly string[] {
  const rows = settings.map(({ key, value, origin }) => [key, valueText(value), originText(origin)] as const);
  const [keys = 0, values = 0] = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map(([key, value, origin]) => `${key.padEnd(keys)}  ${value.padEnd(values)}  ${origin}`);
}

function valueText(value: EffectiveSetting['value']): string {
  if (value === null) return '-';
  return harmless(typeof value === 'string' ? value : JSON.stringify(value), false);
}

function originText(origin: Origin): string {
  if (origin.from === 'environment') return origin.variable;
  return origin.from === 'file' ? `${origin.file}:${origin.line}:${origin.column}` : origin.from;
}
