/** A test command as a client sends it. */
export interface Command {
  /** A script for `sh`. */
  readonly run: string;
  /** Name of a runtime image or an image reference; the language's default without it. */
  readonly image?: string;
  /** Paths of JUnit reports: with them the run is green only with at least one test and none red. */
  readonly junit?: readonly string[];
  readonly artifacts?: readonly string[];
  /** As in a pipeline file, such as `10m`. */
  readonly timeout?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The pipeline of one step that runs a command: a file like any other (JSON is YAML), so that it is checked like one. */
export function commandPipeline(name: string, { run, image, junit, artifacts, timeout, env }: Command): string {
  return JSON.stringify({
    pipeline: name.replaceAll(/[^\w.-]/g, '-'),
    steps: {
      command: {
        run,
        ...(image !== undefined && { image }),
        ...(junit && { junit }),
        ...(artifacts && { artifacts }),
        ...(timeout !== undefined && { timeout }),
        ...(env && { env }),
      },
    },
  });
}
