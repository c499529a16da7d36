/** What one look at the machine found. `warning`: some pipelines cannot run; `failed`: none can. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly message: string;
  /** The next step, '' when all is well. */
  readonly hint: string;
}

export function ok(name: string, message: string): Check {
  return { name, status: 'ok', message, hint: '' };
}
