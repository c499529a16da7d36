import { Argument } from 'commander';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import type { EnvironmentRow, Session } from '../session.ts';

const actions = ['list', 'start', 'stop'] as const;

export const defineEnvironments: Define = (command) => {
  command
    .addArgument(new Argument('<action>', 'what to do').choices([...actions, 'supervise']))
    .usage('<list|start|stop> [options]')
    .addHelpText(
      'after',
      '\nlist shows what runs, start brings back what ran before, and stop ends it; data and releases stay.',
    );
  return async (session) => {
    const environments = await session.environments();
    const [action] = command.args;
    if (action === 'supervise') await environments.supervise(endOf(session));
    else if (action === 'stop') await stop(session);
    else {
      if (action === 'start') await environments.start();
      show(session, await environments.list());
    }
    return exitCodes.succeeded;
  };
};

async function stop(session: Session): Promise<void> {
  const stopped = await (await session.environments()).stop();
  if (session.json) session.printJson({ stopped });
  else session.note(stopped ? 'Nothing runs any more. Start it again with: sluice environments start' : 'Nothing ran.');
}

function show(session: Session, environments: readonly EnvironmentRow[] | undefined): void {
  if (session.json) session.printJson({ running: environments !== undefined, environments: environments ?? [] });
  else if (environments === undefined)
    session.note('Nothing runs. Start what ran before with: sluice environments start');
  else if (environments.length === 0)
    session.note('No backend was deployed yet: `deploy-test` of a pipeline does that.');
  else session.print(environments.flatMap(lines).join('\n'));
}

function lines({ backend, environment, name, url, routed, releases }: EnvironmentRow): readonly string[] {
  return [
    `${backend}  ${environment}  ${routed ?? 'no release'}  ${name}  ${url}`,
    ...releases.map(({ release, state, message }) => {
      const why = message === undefined ? '' : `: ${message.replaceAll('\n', '\n      ')}`;
      return `  ${release}  ${state}${why}`;
    }),
  ];
}

/** Aborted by the first signal that asks this process to end. */
function endOf({ io }: Session): AbortSignal {
  const ending = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) io.signals.once(name, () => ending.abort());
  return ending.signal;
}
