import { posix } from 'node:path';
import type { MigrationFile, MigrationSite, MigrationTool } from './migration-tool.ts';
import { dependencyOrder, withAncestors } from './graph-order.ts';
import { bookkeeping, namesIn, namesLike, textOf } from './repository.ts';

const module = /^[^._].*\.py$/;
const quoted = /['"]([\w.-]+)['"]/g;

/** What each file depends on, read from its text: nothing of the user's is run for it. */
const needsOf = (files: readonly MigrationFile[]) => new Map(files.map(({ name, needs = [] }) => [name, needs]));

/** alembic.sqlalchemy.org: revisions form a graph, and the table has its heads. */
export const alembic: MigrationTool = {
  name: 'alembic',
  transactional: true,
  ordered: false,
  detect: async (root) => {
    const location = /^\s*script_location\s*=\s*(\S+)/m.exec((await textOf(root, 'alembic.ini')) ?? '')?.[1];
    return location && posix.normalize(location.replace(/%\(here\)s\/?/, '').replace(/^[^:]*:/, ''));
  },
  files: async (site) => inOrder(await revisions(site)),
  applied: async (connection, files) => {
    const heads =
      (await bookkeeping<{ readonly name: string }>(connection, 'alembic_version', 'version_num AS name')) ?? [];
    const known = withAncestors(
      heads.map(({ name }) => name),
      needsOf(files),
    );
    return [...known].map((name) => ({ name }));
  },
};

async function revisions(site: MigrationSite): Promise<readonly MigrationFile[]> {
  const folder = `${site.folder}/versions`;
  const nodes: MigrationFile[] = [];
  for (const file of await namesLike({ root: site.root, folder }, module)) {
    const path = `${folder}/${file}`;
    const text = (await textOf(site.root, path)) ?? '';
    const [name] = assigned(text, 'revision');
    if (name !== undefined)
      nodes.push({ name, path, needs: [...assigned(text, 'down_revision'), ...assigned(text, 'depends_on')] });
  }
  return nodes;
}

/** The words that a variable of a module is set to. */
function assigned(text: string, variable: string): readonly string[] {
  const value =
    new RegExp(`^${variable}\\b[^=\\n]*=\\s*(\\([^)]*\\)|\\[[^\\]]*\\]|[^\\n]*)`, 'm').exec(text)?.[1] ?? '';
  return [...value.matchAll(quoted)].map(([, word = '']) => word);
}

/** docs.djangoproject.com: each app has a graph of its own, and needs others. Apps of installed packages have no files here. */
export const django: MigrationTool = {
  name: 'django',
  transactional: true,
  ordered: false,
  detect: async (root) => ((await namesIn(root, '.')).includes('manage.py') ? '.' : undefined),
  files: async (site) => inOrder(await djangoNodes(site)),
  applied: async (connection, files) => {
    const rows =
      (await bookkeeping<{ readonly app: string; readonly name: string }>(
        connection,
        'django_migrations',
        'app, name',
      )) ?? [];
    const apps = new Set(files.map(({ name }) => name.slice(0, name.indexOf('.'))));
    return rows.filter(({ app }) => apps.has(app)).map(({ app, name }) => ({ name: `${app}.${name}` }));
  },
};

async function djangoNodes({ root }: MigrationSite): Promise<readonly MigrationFile[]> {
  const nodes: MigrationFile[] = [];
  for (const folder of await appFolders(root, '.', 3)) {
    const app = posix.basename(posix.dirname(folder));
    for (const file of await namesLike({ root, folder }, module)) {
      const path = `${folder}/${file}`;
      nodes.push({ name: `${app}.${file.slice(0, -3)}`, path, needs: djangoNeeds((await textOf(root, path)) ?? '') });
    }
  }
  return nodes;
}

/** Folders called `migrations` that are packages, some levels down. */
async function appFolders(root: string, folder: string, levels: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await namesIn(root, folder)) {
    if (name.startsWith('.') || ['node_modules', 'venv', 'site-packages'].includes(name)) continue;
    const path = posix.join(folder, name);
    const inside = await namesIn(root, path);
    if (name === 'migrations' && inside.includes('__init__.py')) found.push(path);
    else if (levels > 0 && inside.length > 0) found.push(...(await appFolders(root, path, levels - 1)));
  }
  return found;
}

function djangoNeeds(text: string): readonly string[] {
  const list = /^\s*dependencies\s*=\s*\[([^\]]*)\]/m.exec(text)?.[1] ?? '';
  return [...list.matchAll(/\(\s*['"](\w+)['"]\s*,\s*['"](\w+)['"]\s*\)/g)].map(
    ([, app, name]) => `${app ?? ''}.${name ?? ''}`,
  );
}

function inOrder(nodes: readonly MigrationFile[]): readonly MigrationFile[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return dependencyOrder(needsOf(nodes)).flatMap((name) => byName.get(name) ?? []);
}
