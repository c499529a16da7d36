const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const part = /(\d+)(ms|[smhd])/gy;

/** "1h30m", "10m", "500ms" to milliseconds; undefined for anything else, zero included. */
export function parseDuration(text: string): number | undefined {
  let total = 0;
  let end = 0;
  part.lastIndex = 0;
  for (let match = part.exec(text); match; match = part.exec(text)) {
    total += Number(match[1]) * units[match[2] as keyof typeof units];
    end = part.lastIndex;
  }
  return end === text.length && total > 0 && Number.isSafeInteger(total) ? total : undefined;
}

/** Milliseconds to the two largest units that matter: "850 ms", "2.4 s", "1 m 05 s", "2 h 03 m". */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(seconds / 3_600)} h ${String(Math.floor(seconds / 60) % 60).padStart(2, '0')} m`;
}
