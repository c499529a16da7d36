/** A request to the outside, ready to be sent. `body` is JSON. */
export interface Message {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
