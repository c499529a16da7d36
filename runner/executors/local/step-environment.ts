import type { AttemptSpec, ServiceAddress } from '../executor.ts';
import type { AttemptFolder } from './attempt-folder.ts';

type Variables = Readonly<Record<string, string>>;

/** What programs of a step and of its services see before anything is declared. */
export function attemptEnvironment(base: Variables, folder: AttemptFolder): Variables {
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
  folder: AttemptFolder,
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
