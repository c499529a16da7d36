import { resolve } from 'node:path';
import { Argument, Option } from 'commander';
import { SluiceError } from '../../model/errors.ts';
import { protocolOf } from '../../sources/remote-url.ts';
import type { Repository } from '../../store/intake.ts';
import { hookPath, registerRepository } from '../../store/register-repository.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { readSecret } from '../read-secret.ts';
import type { Session } from '../session.ts';
import { tableLines } from '../view/table-lines.ts';

interface RepositoryOptions {
  readonly forge?: Repository['forge'];
  readonly url?: string;
  readonly file: string;
  readonly forks: Repository['forks'];
  readonly secretFile?: string;
  readonly tokenFile?: string;
}

export const defineRepository: Define = (command) => {
  command
    .addArgument(new Argument('<action>', 'what to do').choices(['add', 'list', 'remove']))
    .argument('[name]', 'name of the repository')
    .addOption(
      new Option('--forge <kind>', 'who announces its changes').choices([
        'github',
        'gitlab',
        'gitea',
        'bitbucket',
        'git',
      ]),
    )
    .option('--url <url>', 'where commits are fetched from')
    .option('--file <path>', 'pipeline file inside the repository', 'sluice.yaml')
    .addOption(
      new Option('--forks <what>', 'what pull requests from forks start')
        .choices(['ignore', 'approve', 'run'])
        .default('ignore'),
    )
    .option('--secret-file <path>', 'secret of the webhook; without it one is made up and printed')
    .option('--token-file <path>', 'token that may read the repository');
  return async (session) => {
    const [action = '', name] = command.args;
    if (action === 'list') return list(session);
    if (name === undefined) throw new SluiceError('ERR_USAGE', 'the name of the repository is missing');
    if (action === 'remove') return remove(session, name);
    return add(session, name, command.opts<RepositoryOptions>());
  };
};

async function add(session: Session, name: string, options: RepositoryOptions): Promise<ExitCode> {
  const { forge, url } = options;
  if (forge === undefined || url === undefined)
    throw new SluiceError('ERR_USAGE', '--forge and --url are missing', {
      hint: `For example: sluice repository add ${name} --forge gitea --url https://git.example/${name}.git`,
    });
  protocolOf(url);
  const { intake, secretBox } = await session.services();
  if (await intake.repositoryNamed(name))
    throw new SluiceError('ERR_USAGE', `There is a repository "${name}" already.`, {
      hint: `Take another name, or forget it first with: sluice repository remove ${name}`,
    });
  const read = (path: string, option: string) => readSecret(resolve(session.folder, path), option);
  const given = options.secretFile === undefined ? {} : { secret: await read(options.secretFile, '--secret-file') };
  const token = options.tokenFile === undefined ? '' : await read(options.tokenFile, '--token-file');
  const wish = { name, forge, cloneUrl: url, file: options.file, forks: options.forks, token, ...given };
  const { repository, secret } = await registerRepository(intake, secretBox, wish, Date.now());
  const { id } = repository;
  const hook = hookPath(repository);
  const shown = options.secretFile === undefined ? { secret } : {};
  if (session.json) session.printJson({ id, name, hook, ...shown });
  else session.print([`Repository ${name} is known now.`, ...nextSteps(session, repository, shown.secret)].join('\n'));
  return exitCodes.succeeded;
}

function nextSteps(session: Session, repository: Repository, secret: string | undefined): readonly string[] {
  const server = session.config.url || 'https://SERVER';
  if (repository.forge === 'git')
    return [
      'The server looks at its refs from time to time. To have pushes told at once, put this into the executable file hooks/post-receive:',
      `  exec sluice bridge --server ${server} --repository ${repository.name} --token-file FILE`,
      `with a token made by: sluice token create --role developer --repository ${repository.name}`,
    ];
  return [
    'Add a webhook for pushes and pull requests at the forge:',
    `  URL     ${server}${hookPath(repository)}`,
    '  type    application/json',
    ...(secret === undefined ? [] : [`  secret  ${secret}   (shown this once)`]),
  ];
}

async function remove(session: Session, name: string): Promise<ExitCode> {
  const { intake } = await session.services();
  const found = await intake.repositoryNamed(name);
  if (!found)
    throw new SluiceError('ERR_NOT_FOUND', `There is no repository "${name}".`, {
      hint: 'See: sluice repository list',
    });
  await intake.removeRepository(found.id);
  if (session.json) session.printJson({ id: found.id, name });
  else session.print(`Repository ${name} is forgotten; its runs are kept.`);
  return exitCodes.succeeded;
}

async function list(session: Session): Promise<ExitCode> {
  const { intake } = await session.services();
  const repositories = (await intake.repositories()).map(({ id, name, forge, cloneUrl, file, forks }) => {
    return { id, name, forge, cloneUrl, file, forks, hook: `/hooks/${id}` };
  });
  if (session.json) session.printJson({ repositories });
  else if (repositories.length === 0) session.note('No repository yet. Add one with: sluice repository add');
  else
    session.print(
      tableLines(
        ['REPOSITORY', 'FORGE', 'FETCHED FROM', 'HOOK'],
        repositories.map(({ name, forge, cloneUrl, hook }) => [name, forge, cloneUrl, forge === 'git' ? '' : hook]),
        session.palette,
      ).join('\n'),
    );
  return exitCodes.succeeded;
}
