import { setTimeout as sleep } from 'node:timers/promises';

export interface Message {
  readonly type: string;
  readonly re?: string;
  readonly runId?: string;
  readonly position?: number;
  readonly subscription?: string;
  readonly text?: string;
  readonly outcome?: string;
  readonly problem?: { readonly status: number; readonly code: string; readonly place?: string };
  readonly event?: { readonly type: string };
  readonly answer?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
  readonly report?: {
    readonly outcome: string;
    readonly reason?: string;
    readonly request: { readonly trigger: { readonly commit: string } };
  };
}

/** A client of the WebSocket protocol that keeps all it was told. */
export class Client {
  readonly heard: Message[] = [];
  readonly #socket: WebSocket;
  closed: { readonly code: number; readonly reason: string } | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.heard.push(JSON.parse(String(data)) as Message));
    socket.addEventListener('close', ({ code, reason }) => (this.closed = { code, reason }));
  }

  static async open(url: string): Promise<Client> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/websocket`, 'sluice.v1');
    const client = new Client(socket);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error('no connection')));
    });
    return client;
  }

  static async greet(url: string, token: string): Promise<Client> {
    const client = await Client.open(url);
    client.say({ type: 'hello', token });
    await client.hear((message) => message.type === 'welcome');
    return client;
  }

  say(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** The first message that fits, of those heard and those to come. */
  async hear(fits: (message: Message) => boolean): Promise<Message> {
    for (let tries = 0; tries < 1_200; tries++) {
      const found = this.heard.find(fits);
      if (found) return found;
      await sleep(50);
    }
    throw new Error(`Nothing fits of ${JSON.stringify(this.heard)}`);
  }

  answer(id: string): Promise<Message> {
    return this.hear(({ re }) => re === id);
  }

  async end(): Promise<void> {
    this.#socket.close();
    while (!this.closed) await sleep(10);
  }
}
