import { Option } from 'commander';
import { SluiceError } from '../../model/errors.ts';
import { roles } from '../../api/access.ts';
import type { Role } from '../../api/access.ts';
import { createToken } from '../../api/tokens.ts';
import { parseDuration } from '../../model/duration.ts';
import type { ServerRecords, Token } from '../../store/server-records.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import type { Session } from '../session.ts';
import { tableLines } from '../view/table-lines.ts';

interface TokenOptions {
  readonly role: Role;
  readonly name?: string;
  readonly repository?: readonly string[];
  readonly expires?: string;
}

const listed = 1_000;

export const defineToken: Define = (command) => {
  command
    .argument('<action>', 'create, list or revoke')
    .argument('[token]', 'the id of the token to revoke')
    .addOption(new Option('--role <role>', 'what its holder may do').choices([...roles]).default('viewer'))
    .option('--name <name>', 'whose it is, or what for; stands in the audit trail')
    .option('--repository <name...>', 'only for these repositories (default: all)')
    .option('--expires <duration>', 'good for so long, such as 90d (default: until it is revoked)');
  return async (session) => {
    const { store } = await session.open();
    const [action = '', id = ''] = command.args;
    if (action === 'create') await create(command.opts<TokenOptions>(), session, store);
    else if (action === 'list') await list(session, store);
    else if (action === 'revoke') await revoke(id, session, store);
    else
      throw new SluiceError('ERR_USAGE', `token cannot ${JSON.stringify(action)}`, {
        hint: 'It can create, list and revoke.',
      });
    return exitCodes.succeeded;
  };
};

async function create(
  { role, name, repository, expires }: TokenOptions,
  session: Session,
  store: ServerRecords,
): Promise<void> {
  const now = Date.now();
  const life = expires === undefined ? undefined : parseDuration(expires);
  if (expires !== undefined && life === undefined) {
    throw new SluiceError('ERR_USAGE', `${JSON.stringify(expires)} is no duration`, { hint: 'Write 90d, 12h or 30m.' });
  }
  const createdBy = `cli:${session.config.actor}`;
  const made = await createToken(
    store,
    {
      name: name ?? session.config.actor,
      role,
      createdBy,
      ...(repository && { repositories: repository }),
      ...(life !== undefined && { expiresAt: now + life }),
    },
    now,
  );
  await store.addAudit({ at: now, actor: createdBy, action: 'create-token', object: made.token.id, requestId: '' });
  if (session.json) {
    session.printJson(made);
    return;
  }
  session.note(`Token ${made.token.id}, ${role}. Its secret is told this once:`);
  session.print(made.secret);
}

async function list(session: Session, store: ServerRecords): Promise<void> {
  const tokens = await store.tokens({ limit: listed });
  if (session.json) session.printJson({ tokens });
  else if (tokens.length === 0) session.note('No token yet. Make one with: sluice token create --role admin');
  else session.print(tableLines(columns, tokens.map(row), session.palette).join('\n'));
}

async function revoke(id: string, session: Session, store: ServerRecords): Promise<void> {
  const at = Date.now();
  const token = await store.revokeToken(id, at);
  await store.addAudit({ at, actor: `cli:${session.config.actor}`, action: 'revoke-token', object: id, requestId: '' });
  if (session.json) session.printJson(token);
  else session.print(`Token ${id} is good for nothing now.`);
}

const columns = ['TOKEN', 'ROLE', 'NAME', 'REPOSITORIES', 'GOOD'];

function row({ id, role, name, repositories, revokedAt, expiresAt }: Token): readonly string[] {
  const end =
    revokedAt !== undefined
      ? 'revoked'
      : expiresAt !== undefined
        ? `until ${new Date(expiresAt).toISOString()}`
        : 'yes';
  return [id, role, name, repositories?.join(',') ?? '*', end];
}
