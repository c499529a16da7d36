import { AttemptEnded } from '../model/attempt-ended.ts';
import { messageOf } from '../model/errors.ts';
import type { AttemptContext, AttemptSpec, ServiceAddress } from './executor.ts';

/** Folders of a step as its programs know them. */
interface StepFolders {
  readonly home: string;
  readonly temporary: string;
  readonly output: string;
}

type Variables = Readonly<Record<string, string>>;

/** What programs of a step and of its services see before anything is declared. */
export function attemptEnvironment(base: Variables, folder: StepFolders): Variables {
  return {
    ...base,
    HOME: folder.home,
    TMPDIR: folder.temporary,
    SHELL: '/bin/sh',
    TERM: 'dumb',
    CI: 'true',
  };
}

/** The complete environment of a step's command. Declared values win over the base, secrets over values, our own over all. */
export function stepEnvironment(
  attempt: Variables,
  spec: AttemptSpec,
  declared: Variables,
  services: Readonly<Record<string, ServiceAddress>>,
  folder: StepFolders,
): Variables {
  return {
    ...attempt,
    ...serviceVariables(services),
    ...declared,
    ...spec.secrets,
    SLUICE: 'true',
    SLUICE_RUN: spec.runId,
    SLUICE_STEP: spec.step.id,
    SLUICE_ATTEMPT: String(spec.attempt),
    SLUICE_OUTPUT: folder.output,
  };
}

/** NAME_HOST, NAME_PORT and NAME_URL of each service. */
function serviceVariables(services: Readonly<Record<string, ServiceAddress>>): Variables {
  return Object.fromEntries(
    Object.entries(services).flatMap(([name, { host, port, url }]) => {
      const prefix = name.toUpperCase().replaceAll('-', '_');
      return [
        [`${prefix}_HOST`, host],
        [`${prefix}_PORT`, String(port)],
        [`${prefix}_URL`, url],
      ];
    }),
  );
}

/** The values that a step declares, as text; AttemptEnded (`expression_error`) when one cannot be rendered. */
export function declaredValues(
  spec: AttemptSpec,
  context: AttemptContext,
  services: Readonly<Record<string, ServiceAddress>>,
): Readonly<Record<string, string>> {
  try {
    return Object.fromEntries(
      Object.entries(spec.env).map(([name, template]) => [name, context.render(template, services)]),
    );
  } catch (error) {
    throw new AttemptEnded('expression_error', messageOf(error));
  }
}
