import { spawn } from 'node:child_process';
import type { RequestOptions } from 'node:https';
import type { Authenticator } from '@kubernetes/client-node/dist/auth.js';
import type { Cluster, User } from '@kubernetes/client-node/dist/config_types.js';
import { ExecAuth } from '@kubernetes/client-node/dist/exec_auth.js';
import { FileAuth } from '@kubernetes/client-node/dist/file_auth.js';
import type { Target } from './read-kubeconfig.ts';
import { isRecord } from './read-object.ts';

/** Adds the token, or certificate and key, of the moment. */
export type Login = (options: RequestOptions) => Promise<void>;

/** What a user's token comes from. OpenID Connect loads most of client-node (90 MB), so only its users pay for that. */
export async function loginOf({ cluster, user }: Target, pluginDeadlineMs: number): Promise<Login> {
  const exec: unknown = user.exec;
  if (isRecord(exec)) return pluginLogin(user, withEnvironment(exec, cluster), pluginDeadlineMs);
  const provider: unknown = user.authProvider;
  if (!isRecord(provider)) return () => Promise.resolve();
  if (provider['name'] === 'tokenFile') return loginWith(new FileAuth(), user);
  const { OpenIDConnectAuth } = await import('@kubernetes/client-node/dist/oidc_auth.js');
  return loginWith(new OpenIDConnectAuth(), user);
}

function loginWith(authenticator: Authenticator, user: User): Login {
  return (options) => authenticator.applyAuthentication(user, options);
}

/** client-node runs it when there is no credential yet or the last one has expired. */
function pluginLogin(user: User, exec: Readonly<Record<string, unknown>>, deadlineMs: number): Login {
  const authenticator = new ExecAuth();
  // client-node waits for ever, and leaves standard input open to a plugin that asks questions.
  Reflect.set(authenticator, 'execFn', (command: string, args: readonly string[] | undefined, options: object) =>
    spawn(command, args ?? [], {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: deadlineMs,
      killSignal: 'SIGKILL',
    }),
  );
  return loginWith(authenticator, { ...user, exec });
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
function withEnvironment(
  exec: Readonly<Record<string, unknown>>,
  { caData, server, skipTLSVerify, tlsServerName }: Cluster,
): Readonly<Record<string, unknown>> {
  const { apiVersion, env, provideClusterInfo } = exec;
  const cluster = {
    server,
    'certificate-authority-data': caData,
    'tls-server-name': tlsServerName,
    'insecure-skip-tls-verify': skipTLSVerify || undefined,
  };
  const spec = { interactive: false, cluster: provideClusterInfo === true ? cluster : undefined };
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
  const given: readonly unknown[] = Array.isArray(env) ? env : [];
  return { ...exec, env: [...given, { name: 'KUBERNETES_EXEC_INFO', value: info }] };
}
