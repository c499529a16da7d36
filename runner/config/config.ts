/** Everything that may differ between machines and users. Built once by `loadConfig`, frozen, passed in. */
export interface Config {
  /** Data folder of this user: store, blobs, logs. */
  readonly home: string;
  /** How many attempts may be under way at once. */
  readonly jobs: number;
  readonly color: 'always' | 'never' | 'auto';
  /** Whether a terminal can show a picture that is drawn again and again. */
  readonly liveView: boolean;
  /** Values that steps may ask for in `secrets`, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Who starts, cancels and approves. */
  readonly actor: string;
}
