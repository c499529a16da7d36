/** One request to the API server. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  /** What error messages call it, such as "create jobs builds/unit". */
  readonly title: string;
  readonly body?: string;
  readonly contentType?: string;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The path with the parameters that have a value. */
export function withQuery(path: string, query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') given.set(name, String(value));
  }
  return given.size === 0 ? path : `${path}?${given.toString()}`;
}
