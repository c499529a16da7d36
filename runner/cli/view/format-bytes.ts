const units = ['kB', 'MB', 'GB', 'TB'];

/** "812 B", "1.4 MB"; thousands, as disks and networks count. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  let [value, unit] = [bytes / 1_000, 0];
  while (value >= 999.95 && unit < units.length - 1) [value, unit] = [value / 1_000, unit + 1];
  return `${value.toFixed(1)} ${units[unit] ?? ''}`;
}
