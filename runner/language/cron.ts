interface Field {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly names: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Sunday is 0 and 7. */
const fields: readonly Field[] = [
  { name: 'minute', low: 0, high: 59, names: [] },
  { name: 'hour', low: 0, high: 23, names: [] },
  { name: 'day of month', low: 1, high: 31, names: [] },
  { name: 'month', low: 1, high: 12, names: months },
  { name: 'day of week', low: 0, high: 7, names: days },
];

const longestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** What is wrong with the five fields of a cron expression, as a sentence; undefined when nothing is. */
export function cronFault(cron: string): string | undefined {
  const texts = cron.trim().split(/\s+/);
  if (texts.length !== fields.length) return `A schedule has five fields, and this has ${texts.length}.`;
  for (const [index, field] of fields.entries()) {
    const fault = (texts[index] ?? '')
      .split(',')
      .map((item) => itemFault(item, field))
      .find(Boolean);
    if (fault !== undefined) return fault;
  }
  return neverFault(texts[2] ?? '', texts[3] ?? '', texts[4] ?? '');
}

function itemFault(item: string, field: Field): string | undefined {
  const match = /^(?:\*|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(item);
  if (!match) return `\`${item}\` is no ${field.name}.`;
  const [, from, to, step] = match;
  if (step !== undefined && Number(step) < 1) return `The step of \`${item}\` must be at least 1.`;
  if (from === undefined) return undefined;
  const start = valueOf(from, field);
  const end = to === undefined ? start : valueOf(to, field);
  if (start === undefined || end === undefined) {
    return `\`${item}\` is no ${field.name}: it goes from ${field.low} to ${field.high}.`;
  }
  return start > end ? `The range \`${item}\` of the ${field.name} runs backwards.` : undefined;
}

function valueOf(text: string, field: Field): number | undefined {
  const named = field.names.indexOf(text.toLowerCase());
  if (named >= 0) return named + field.low;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= field.low && value <= field.high ? value : undefined;
}

/** `0 0 31 2 *` is well-formed and never comes. */
function neverFault(day: string, month: string, weekday: string): string | undefined {
  const monthField = fields[3];
  if (!monthField || weekday !== '*' || !/^\d+$/.test(day) || !/^\w+(,\w+)*$/.test(month)) return undefined;
  const possible = month.split(',').map((name) => longestMonths[(valueOf(name, monthField) ?? 1) - 1] ?? 31);
  return possible.every((length) => Number(day) > length) ? `Day ${day} never comes in these months.` : undefined;
}
