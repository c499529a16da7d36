const longest = 300;

/** Words of the cluster on one line, cut in the middle where they are long: both ends say most. */
export function shorten(text: string, most = longest): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line.length <= most) return line;
  const tail = Math.floor(most / 3);
  return `${line.slice(0, most - tail - 3).trimEnd()} … ${line.slice(line.length - tail).trimStart()}`;
}
