/** How to reach and to trust an API server, for the next request. Secret: for headers and sockets only. */
export interface Access {
  readonly tls: TlsMaterial;
  readonly headers: Readonly<Record<string, string>>;
}

export interface TlsMaterial {
  readonly ca?: Buffer | string;
  readonly cert?: Buffer | string;
  readonly key?: Buffer | string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** Gives the access that is valid now. Cheap enough to be asked before each request. */
export interface Credentials {
  /** ERR_SERVICE (reason NoCredentials) if a file or a credential plugin fails. */
  ask(): Promise<Access>;
  /** The server did not accept `access`: forget what led to it, unless that has happened already. */
  reject(access: Access): void;
}
