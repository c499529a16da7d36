/** Shortest secret that can be masked without turning ordinary text into stars. */
export const minSecretBytes = 6;

/** Longer values are not looked for in two encodings at once. */
const maxNestedLength = 4_096;

type Encode = (text: string) => readonly string[];

/**
 * Every text that gives a secret away: its value, its lines and its parts, each as it is, in each usual encoding, and in
 * two of them, one inside the other.
 */
export function secretForms(secret: string): ReadonlySet<string> {
  const forms = new Set<string>();
  for (const part of new Set([
    secret,
    ...newlineForms(secret),
    ...lines(secret),
    ...jsonParts(secret),
    ...urlPassword(secret),
  ])) {
    const once = encodings(part);
    const twice = part.length > maxNestedLength ? [] : once.flatMap(encodings);
    for (const form of [part, ...utf16(part), ...once, ...twice])
      if (Buffer.byteLength(form) >= minSecretBytes) forms.add(form);
  }
  return forms;
}

function encodings(text: string): readonly string[] {
  return [...new Set([json, xml, url, shell, base64, hex].flatMap((encode) => encode(text)))];
}

/** What a text of ASCII is in UTF-16, whichever byte comes first: its bytes with a NUL between each two. */
function utf16(text: string): readonly string[] {
  return /^[\x01-\x7f]+$/.test(text) ? [Array.from(text).join('\0')] : [];
}

function newlineForms(text: string): readonly string[] {
  const plain = text.trim().replaceAll('\r\n', '\n');
  return [plain, plain.replaceAll('\n', '\r\n')];
}

function lines(text: string): readonly string[] {
  return text.split(/\r\n|\r|\n/).map((line) => line.trim());
}

/** Strings inside a secret that is JSON, such as the key of a service account. */
function jsonParts(text: string): readonly string[] {
  if (!/^\s*[{[]/.test(text)) return [];
  const strings: string[] = [];
  try {
    JSON.parse(text, (_name, value: unknown) => {
      if (typeof value === 'string') strings.push(value, ...lines(value));
      return value;
    });
  } catch {
    return [];
  }
  return strings;
}

function urlPassword(text: string): readonly string[] {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*?:([^/?#\s]+)@/i.exec(text)?.[1];
  return password === undefined ? [] : [password, percentDecoded(password)];
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const json: Encode = (text) => {
  const plain = JSON.stringify(text).slice(1, -1);
  const unicode = (pattern: RegExp): string =>
    plain.replace(pattern, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [plain, plain.replaceAll('/', '\\/'), unicode(/[<>&\u2028\u2029]/g), unicode(/[\u007f-\uffff]/g)];
};

const xml: Encode = (text) => {
  const content = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const quoted = content.replaceAll('"', '&quot;');
  return [
    content,
    quoted,
    quoted.replaceAll('\n', '&#10;'),
    quoted.replaceAll('\n', '&#xA;'),
    quoted.replaceAll("'", '&apos;'),
    quoted.replaceAll("'", '&#39;'),
    quoted.replaceAll("'", '&#x27;'),
    content.replaceAll('"', '&#34;').replaceAll("'", '&#39;'),
  ];
};

const url: Encode = (text) => {
  const component = encodeURIComponent(text.toWellFormed());
  const strict = component.replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  const upper = [component, strict, component.replaceAll('%20', '+'), strict.replaceAll('%20', '+')];
  return [...upper, ...upper.map((form) => form.replace(/%../g, (escape) => escape.toLowerCase()))];
};

const shell: Encode = (text) => [
  text.replaceAll("'", `'\\''`),
  text.replaceAll("'", `'"'"'`),
  text.replace(/[\\"$`]/g, '\\$&'),
  text.replace(/[^\w@%+=:,./-]/gu, '\\$&'),
  text.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n'),
];

/** Widths at which the usual tools break base64 into lines. */
const base64Widths = [76, 64] as const;

/**
 * What remains of the secret in base64 wherever it stands in the encoded text: one form for each of three positions,
 * without the characters that share bits with its neighbours. That covers `user:secret` of basic authentication.
 */
const base64: Encode = (text) => {
  const bytes = Buffer.from(text);
  const shifted = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  });
  const start = shifted[0] ?? '';
  const broken = base64Widths.flatMap((width) => start.match(new RegExp(`.{${width}}|.+$`, 'g')) ?? []);
  const standard = [...shifted, ...broken];
  return [...standard, ...standard.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
};

const hex: Encode = (text) => {
  const lower = Buffer.from(text).toString('hex');
  return [lower, lower.toUpperCase()];
};
