const day = /^\d{4}-\d{2}-\d{2}$/;

/** Checks what a client sent for a new task or a change; answers the fields, or the list of mistakes. */
export function parseTask(input, { partial = false } = {}) {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return { mistakes: ['expected an object'] };
  const { title, due, done, ...unknown } = input;
  const mistakes = Object.keys(unknown).map((name) => `${name} is not known`);
  if (title === undefined ? !partial : !isTitle(title)) mistakes.push('title must be text of 1 to 200 characters');
  if (due !== undefined && due !== null && !isDay(due)) mistakes.push('due must be a day such as 2026-02-28');
  if (done !== undefined && typeof done !== 'boolean') mistakes.push('done must be true or false');
  return mistakes.length > 0 ? { mistakes } : { fields: { title: title?.trim(), due, done } };
}

/** A task is overdue from the midnight after its day, on the clock of this place. */
export function isOverdue({ due, done }, now) {
  if (done || !due) return false;
  const [year, month, date] = due.split('-').map(Number);
  return now >= new Date(year, month - 1, date + 1);
}

function isTitle(value) {
  return typeof value === 'string' && value.trim().length > 0 && value.trim().length <= 200;
}

function isDay(value) {
  if (typeof value !== 'string' || !day.test(value)) return false;
  const time = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(value);
}
