/** What a route asks of its callers. */
export type Access = 'public';
