/** Milliseconds of a duration in seconds; 0 for what is no duration. Takes "1,234.5", "1.234,5", "0,5" and "1e-3". */
export function parseSeconds(text: string): number {
  const milliseconds = Number(plainNumber(text)) * 1_000;
  return Number.isFinite(milliseconds) && milliseconds > 0 ? Math.round(milliseconds * 1_000) / 1_000 : 0;
}

/** A total as reports declare it, "1,024" included; undefined for what is no whole number. */
export function parseCount(text: string): number | undefined {
  const plain = text.trim().replace(/(?<=\d)[,.'_\s](?=\d{3}(?!\d))/g, '');
  return /^\d{1,15}$/.test(plain) ? Number(plain) : undefined;
}

/**
 * The last separator is the decimal one, unless it occurs more than once. A lone comma is decimal too: producers with
 * thousand commas nearly always write a fraction behind it.
 */
function plainNumber(text: string): string {
  if (/^\d+(\.\d+)?$/.test(text)) return text;
  const compact = text.replace(/[\s'_]/g, '').replace(/s$/, '');
  const decimal = compact.lastIndexOf(',') > compact.lastIndexOf('.') ? ',' : '.';
  const parts = compact.split(decimal);
  const [fraction, whole] = parts.length === 2 ? [parts[1], parts[0]] : [undefined, parts.join('')];
  return `${(whole ?? '').replaceAll(/[.,]/g, '')}${fraction === undefined ? '' : `.${fraction}`}`;
}
