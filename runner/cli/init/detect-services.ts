import type { DraftService } from './draft.ts';
import type { Repository } from './repository.ts';

const known = [
  { name: 'db', image: 'postgres', newest: '16', variable: 'DATABASE_URL' },
  { name: 'redis', image: 'redis', newest: '7', variable: 'REDIS_URL' },
];

/** Databases that a compose file or a workflow of the repository starts beside its tests. */
export function detectServices({ texts }: Repository): readonly DraftService[] {
  const files = [...texts].filter(([path]) => /\.ya?ml$/.test(path)).map(([, text]) => text);
  return known.flatMap(({ name, image, newest, variable }) => {
    const pattern = new RegExp(
      `^\\s*image:\\s*["']?(?:docker\\.io/)?(?:library/)?${image}(?::([\\w.-]+))?["']?\\s*(?:#|$)`,
      'm',
    );
    const found = files.map((text) => pattern.exec(text)).find((match) => match !== null);
    return found ? [{ name, image: `${image}:${/^\d+/.exec(found[1] ?? '')?.[0] ?? newest}`, variable }] : [];
  });
}
